import type { GetSessionResponse } from "@aws-sdk/client-bedrock-agent-runtime";
import type { Environment } from "../../../ports/context.ts";
import { clientConfig } from "../../aws/client-config.ts";
import { awsFailure, isCausedBy } from "../../aws/failure.ts";
import { lazyClient } from "../../aws/lazy-client.ts";
import { pagesOf } from "../../aws/pages.ts";
import { invocationId, readStep, type Step, writeStep } from "./step.ts";

export interface ClientOptions {
  readonly env: Environment;
  readonly name: string;
  readonly region: string | undefined;
  readonly timeoutMs: number;
  /** The ARN of the key that new sessions are encrypted with; Bedrock's own where none is named. */
  readonly kmsKey: string | undefined;
}

export interface Summary {
  readonly id: string;
  readonly createdMs: number;
  readonly isOpen: boolean;
}

/** The few calls that are made, each one attempt. What is gone is undefined, or not there. */
export interface BedrockSessions {
  list(): Promise<readonly Summary[]>;
  metadata(id: string): Promise<Readonly<Record<string, string>> | undefined>;
  /** Whether it takes more steps. */
  isOpen(id: string): Promise<boolean>;
  create(metadata: Record<string, string>): Promise<string>;
  /** The one that all steps of the session belong to; it may be there. */
  createInvocation(id: string): Promise<void>;
  countSteps(id: string): Promise<number | undefined>;
  getStep(id: string, step: string): Promise<Step | undefined>;
  putStep(id: string, step: string, content: Step): Promise<void>;
  /** It may be over already. */
  end(id: string): Promise<void>;
  remove(summary: Pick<Summary, "id" | "isOpen">): Promise<void>;
  check(signal: AbortSignal | undefined): Promise<void>;
  close(): void;
}

const pageSize = 1000;
/** https://docs.aws.amazon.com/bedrock/latest/userguide/sessions-encryption.html */
const keyRights = ", and kms:Encrypt, kms:Decrypt, kms:GenerateDataKey and kms:DescribeKey on the key,";

export function openClient({ env, name, region, timeoutMs, kmsKey }: ClientOptions): BedrockSessions {
  const { call, close } = lazyClient({
    name, timeoutMs, failure: (error, action) => awsFailure(error, name, `bedrock:${action}${kmsKey === undefined || action === "ListSessions" ? "" : keyRights}`),
    async open() {
      const [{ default: sdk }, config] = await Promise.all([import("@aws-sdk/client-bedrock-agent-runtime"), clientConfig(env, { service: "BEDROCK_AGENT_RUNTIME", name, region })]);
      return { sdk, client: new sdk.BedrockAgentRuntimeClient(config) };
    },
  });

  /** The outcome for whoever does not mind that the thing, or its session, is gone. */
  async function unlessGone<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
    return answer.catch((error: unknown) => {
      if (isCausedBy(error, "ResourceNotFoundException")) return undefined;
      throw error;
    });
  }

  async function getSession(id: string): Promise<GetSessionResponse | undefined> {
    return unlessGone(call("GetSession", ({ sdk, client }, abortSignal) => client.send(new sdk.GetSessionCommand({ sessionIdentifier: id }), { abortSignal })));
  }

  async function isOpen(id: string): Promise<boolean> {
    return (await getSession(id))?.sessionStatus === "ACTIVE";
  }

  async function end(id: string): Promise<void> {
    await unlessGone(call("EndSession", ({ sdk, client }, abortSignal) => client.send(new sdk.EndSessionCommand({ sessionIdentifier: id }), { abortSignal }))).catch((error: unknown) => {
      if (!isCausedBy(error, "ConflictException", "ValidationException")) throw error;
    });
  }

  return {
    async list() {
      const found: Summary[] = [];
      const pages = pagesOf(name, (nextToken) => call("ListSessions", ({ sdk, client }, abortSignal) => client.send(new sdk.ListSessionsCommand({ maxResults: pageSize, nextToken }), { abortSignal })));
      for await (const page of pages) {
        for (const { sessionId, createdAt, sessionStatus } of page.sessionSummaries ?? []) found.push({ id: sessionId ?? "", createdMs: createdAt?.getTime() ?? 0, isOpen: sessionStatus === "ACTIVE" });
      }
      return found;
    },
    async metadata(id) {
      const answer = await getSession(id);
      return answer === undefined ? undefined : (answer.sessionMetadata ?? {});
    },
    async create(sessionMetadata) {
      const { sessionId = "" } = await call("CreateSession", ({ sdk, client }, abortSignal) => client.send(new sdk.CreateSessionCommand({ sessionMetadata, encryptionKeyArn: kmsKey }), { abortSignal }));
      return sessionId;
    },
    isOpen,
    async createInvocation(id) {
      try {
        await call("CreateInvocation", ({ sdk, client }, abortSignal) => client.send(new sdk.CreateInvocationCommand({ sessionIdentifier: id, invocationId: invocationId(id) }), { abortSignal }));
      } catch (error) {
        // Whoever made it was killed before the step, or is about to write the same step.
        if (!isCausedBy(error, "ConflictException") || !(await isOpen(id))) throw error;
      }
    },
    async countSteps(id) {
      let count = 0;
      const pages = pagesOf(name, (nextToken) => unlessGone(call("ListInvocationSteps", ({ sdk, client }, abortSignal) =>
        client.send(new sdk.ListInvocationStepsCommand({ sessionIdentifier: id, maxResults: pageSize, nextToken }), { abortSignal }))));
      for await (const page of pages) {
        if (page === undefined) return undefined;
        count += (page.invocationStepSummaries ?? []).filter((summary) => summary.invocationId === invocationId(id)).length;
      }
      return count;
    },
    async getStep(id, step) {
      const answer = await unlessGone(call("GetInvocationStep", ({ sdk, client }, abortSignal) =>
        client.send(new sdk.GetInvocationStepCommand({ sessionIdentifier: id, invocationIdentifier: invocationId(id), invocationStepId: step }), { abortSignal })));
      return answer === undefined ? undefined : readStep((answer.invocationStep?.payload?.contentBlocks ?? []).map(({ text = "" }) => text));
    },
    async putStep(id, step, content) {
      await call("PutInvocationStep", ({ sdk, client }, abortSignal) => client.send(new sdk.PutInvocationStepCommand({
        sessionIdentifier: id, invocationIdentifier: invocationId(id), invocationStepId: step, invocationStepTime: new Date(content.head.updatedMs), payload: { contentBlocks: writeStep(content).map((text) => ({ text })) },
      }), { abortSignal }));
    },
    end,
    async remove({ id, isOpen: isActive }) {
      if (isActive) await end(id);
      await unlessGone(call("DeleteSession", ({ sdk, client }, abortSignal) => client.send(new sdk.DeleteSessionCommand({ sessionIdentifier: id }), { abortSignal })));
    },
    async check(signal) {
      await call("ListSessions", ({ sdk, client }, abortSignal) => client.send(new sdk.ListSessionsCommand({ maxResults: 1 }), { abortSignal }), signal);
    },
    close,
  };
}
