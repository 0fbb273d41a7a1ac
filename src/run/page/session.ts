import type { Overview, ReleaseView } from "../ui/schema.ts";
import { announceParagraphs } from "./announcer.ts";
import { answerView, type DrawnAnswer } from "./answer-view.ts";
import type { Api } from "./api.ts";
import { type FollowedRun, followRun } from "./followed-run.ts";
import { messagesFor, type PastTurn } from "./history.ts";
import { tellLive } from "./live.ts";
import { turnView } from "./turn-view.ts";

export interface Question {
  readonly agent: string;
  readonly question: string;
  readonly variables: Parameters<Api["ask"]>[0]["variables"];
  /** The release that is served, and the one beside it. */
  readonly releases: readonly Pick<ReleaseView, "number" | "digest" | "agents">[];
  /** What the two have otherwise. */
  readonly changes: HTMLElement | undefined;
  readonly signal: AbortSignal;
}

export interface Session {
  /** Asks every release at once, and resolves when the last has answered, failed or was stopped. */
  ask(question: Question): Promise<void>;
  restart(): void;
}

/** The conversation of this page; nothing of it is kept anywhere else. */
export function openSession(api: Api, into: HTMLElement, { served }: Pick<Overview, "served">): Session {
  let past: PastTurn[] = [];

  async function askOne(answer: DrawnAnswer, { agent, question, variables, releases, signal }: Question, release: number): Promise<void> {
    // With two answers at once, whole ones are easier to follow than paragraphs of both.
    const isAlone = releases.length === 1;
    const announcer = announceParagraphs(tellLive, answer.sources.isSource);
    const said = isAlone ? "" : `${answer.release}: `;
    let run: FollowedRun | undefined;
    try {
      for await (const event of api.ask({ release, agent, variables, messages: messagesFor(past, { agent, release, question }) }, { signal, onTrace: answer.trace })) {
        if (event.type === "run") run = followRun({ api, answer, run: { agent, id: event.id }, signal });
        if (event.type === "error" && event.code === "APPROVAL_NEEDED" && run !== undefined) {
          const { length } = answer.text;
          answer.waits();
          await run.toEnd(event);
          if (isAlone) announcer.text(answer.text.slice(length));
          continue;
        }
        answer.take(event);
        if (event.type === "retrieved" && isAlone) tellLive(`${event.chunks.length} passages retrieved`);
        if (event.type === "text" && isAlone) announcer.text(event.text);
        if (event.type === "error") tellLive(`${said}Failed: ${event.message}`);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
      answer.stopped();
      tellLive(`${said}Stopped`);
    }
    if (!isAlone && answer.text !== "") {
      tellLive(said);
      announcer.text(answer.text);
    }
    announcer.rest();
  }

  return {
    async ask(question) {
      // A conversation that is begun anew meanwhile does not get this turn.
      const conversation = past;
      const answers = question.releases.map(({ number, digest, agents }) => ({ number, drawn: answerView({ release: `v${number}`, digest, prompt: agents.find(({ name }) => name === question.agent)?.prompt ?? "unknown" }) }));
      const turn = turnView(question.question, answers.map(({ drawn }) => drawn), question.changes);
      into.append(turn.element);
      turn.element.scrollIntoView({ block: "start" });
      tellLive(`Asking ${answers.map(({ drawn }) => drawn.release).join(" and ")}`);
      await Promise.all(answers.map(({ drawn, number }) => askOne(drawn, question, number)));
      turn.compare();
      conversation.push({ agent: question.agent, question: question.question, answers: new Map(answers.flatMap(({ number, drawn }) => (drawn.text === "" ? [] : [[number, drawn.text] as const])).sort(([number]) => (number === served ? -1 : 1))) });
    },
    restart() {
      past = [];
      into.replaceChildren();
    },
  };
}
