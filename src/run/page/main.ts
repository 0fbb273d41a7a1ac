import type { AgentView, ListedRelease, Overview, ReleaseView } from "../ui/schema.ts";
import { complaintView } from "./answer-view.ts";
import { openApi } from "./api.ts";
import { changesView } from "./changes-view.ts";
import { element, found } from "./element.ts";
import { day } from "./format.ts";
import { tellLive } from "./live.ts";
import { openSession } from "./session.ts";
import { twiceView } from "./twice-view.ts";
import { askForKey } from "./unlock-view.ts";
import { variablesView } from "./variables-view.ts";

const api = openApi(askForKey);
const welcome = found("welcome", HTMLElement);
const changes = found("changes", HTMLElement);
const otherPicker = found("other", HTMLSelectElement);
const agentPicker = found("agent", HTMLSelectElement);
const question = found("question", HTMLTextAreaElement);
const send = found("send", HTMLButtonElement);
const stop = found("stop", HTMLButtonElement);
const variables = variablesView(found("variables", HTMLElement));
const twice = twiceView();

const againMs = 2000;

/** Until the server knows its release. */
async function load(): Promise<{ readonly overview: Overview; readonly served: ReleaseView }> {
  for (;;) {
    const overview = await api.overview();
    const served = "value" in overview ? await api.release(overview.value.served) : overview;
    if ("value" in overview && "value" in served) return { overview: overview.value, served: served.value };
    if ("refusal" in served) welcome.replaceChildren(complaintView(served.refusal));
    await new Promise((resolve) => setTimeout(resolve, againMs));
  }
}

function describe({ number, message, createdAt, active }: ListedRelease): string {
  return [`v${number}`, message ?? undefined, day(createdAt), active.length === 0 ? undefined : `active in ${active.join(", ")}`].filter((part) => part !== undefined).join(" · ");
}

function fill({ app, environment, served, releases, agents }: Overview, { digest }: ReleaseView): void {
  document.title = `${app} v${served} – twelve`;
  found("app", HTMLElement).textContent = app;
  found("release", HTMLElement).replaceChildren(element("span", { class: "pill" }, environment), element("span", { class: "pill strong" }, `v${served}`), element("code", { class: "digest", title: "Digest of the release" }, digest));
  agentPicker.replaceChildren(...agents.map((name) => element("option", { value: name }, name)));
  const others = releases.filter(({ number }) => number !== served);
  otherPicker.append(...others.map((release) => element("option", { value: String(release.number) }, describe(release))));
  otherPicker.disabled = others.length === 0;
}

function greet({ name, description }: Pick<AgentView, "name" | "description">): void {
  welcome.replaceChildren(element("h2", {}, `Ask ${name}`), element("p", {}, description ?? "Every answer comes with its sources, tokens, cost and time."));
}

async function start(): Promise<void> {
  const { overview, served } = await load();
  fill(overview, served);
  const session = openSession(api, found("turns", HTMLElement), overview);
  let other: ReleaseView | undefined;
  let running: AbortController | undefined;

  const agent = (): Pick<AgentView, "name" | "description" | "variables"> => served.agents.find(({ name }) => name === agentPicker.value) ?? { name: agentPicker.value, description: null, variables: [] };

  function showAgent(): void {
    greet(agent());
    variables.show(agent().variables);
    showChanges();
  }

  const asked = (): readonly ReleaseView[] => (other === undefined ? [served] : [served, other]);

  function showChanges(): void {
    twice.show(asked(), agentPicker.value);
    changes.hidden = other === undefined;
    changes.replaceChildren(...(other === undefined ? [] : [changesView(served, other, { agent: agentPicker.value, isOpen: true })]));
  }

  async function chooseOther(): Promise<void> {
    const wanted = otherPicker.value;
    const outcome = wanted === "" ? undefined : await api.release(Number(wanted));
    if (otherPicker.value !== wanted) return;
    other = outcome !== undefined && "value" in outcome ? outcome.value : undefined;
    showChanges();
    changes.scrollIntoView({ block: "end" });
    if (outcome !== undefined && "refusal" in outcome) {
      changes.hidden = false;
      changes.replaceChildren(complaintView(outcome.refusal));
    }
    tellLive(other === undefined ? "No other release" : `Comparing with v${other.number}`);
  }

  async function ask(): Promise<void> {
    const text = question.value.trim();
    const given = variables.read();
    if (running !== undefined || text === "" || given === undefined || !twice.isAllowed()) return;
    running = new AbortController();
    setRunning(true);
    question.value = "";
    grow();
    welcome.hidden = true;
    changes.hidden = true;
    question.focus();
    try {
      await session.ask({ agent: agentPicker.value, question: text, variables: given, releases: asked(), changes: other && changesView(served, other, { agent: agentPicker.value, isOpen: false }), signal: running.signal });
    } finally {
      running = undefined;
      setRunning(false);
    }
  }

  function setRunning(isRunning: boolean): void {
    send.hidden = isRunning;
    stop.hidden = !isRunning;
  }

  function stopRunning(): void {
    if (running === undefined) return;
    running.abort();
    question.focus();
  }

  /** Where the browser does not make the box as high as what is in it. */
  function grow(): void {
    if (CSS.supports("field-sizing: content")) return;
    question.style.height = "auto";
    question.style.height = `${question.scrollHeight}px`;
  }

  agentPicker.addEventListener("change", showAgent);
  otherPicker.addEventListener("change", () => void chooseOther());
  stop.addEventListener("click", stopRunning);
  found("restart", HTMLButtonElement).addEventListener("click", () => {
    running?.abort();
    session.restart();
    welcome.hidden = false;
    question.focus();
  });
  found("ask", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    void ask();
  });
  question.addEventListener("input", grow);
  question.addEventListener("keydown", (event) => {
    // Enter also ends the choice of a character in some languages' input.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    void ask();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") stopRunning();
  });
  showAgent();
  question.focus();
}

void start();
