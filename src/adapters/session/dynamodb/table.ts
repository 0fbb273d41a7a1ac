import type { AttributeValue, QueryCommandInput, TransactWriteItem } from "@aws-sdk/client-dynamodb";
import { TwelveError } from "../../../core/errors.ts";
import type { Environment } from "../../../ports/context.ts";
import { clientConfig } from "../../aws/client-config.ts";
import { awsError, awsFailure, isCausedBy } from "../../aws/failure.ts";
import { lazyClient } from "../../aws/lazy-client.ts";
import type { Item } from "./items.ts";

export interface TableOptions {
  readonly env: Environment;
  /** Such as `dynamodb:sessions`. */
  readonly name: string;
  readonly table: string;
  readonly region: string | undefined;
  readonly timeoutMs: number;
}

type Outcome = "done" | "refused" | "disturbed";

/** The few calls that are made, each one attempt. */
export interface Table {
  get(key: Item): Promise<Item | undefined>;
  /** All items of a query, page by page. */
  query(input: Omit<QueryCommandInput, "TableName">): AsyncIterable<readonly Item[]>;
  /** `refused` by a condition, or `disturbed` by another write of the same items. */
  transact(items: readonly Omit<TransactWriteItem, "Get">[]): Promise<Outcome>;
  update(key: Item, expression: string, values?: Record<string, AttributeValue>, condition?: string): Promise<"done" | "refused">;
  remove(keys: readonly Item[]): Promise<void>;
  check(signal: AbortSignal | undefined): Promise<{ readonly status: string; readonly expires: boolean | "unknown" }>;
  close(): void;
}

const batchItems = 25;
const longestPauseMs = 1000;
/** Together some four seconds of pauses. */
const mostTries = 8;

export function openTable({ env, name, table, region, timeoutMs }: TableOptions): Table {
  const createTable = `aws dynamodb create-table --table-name ${table} --billing-mode PAY_PER_REQUEST --attribute-definitions AttributeName=pk,AttributeType=S AttributeName=sk,AttributeType=S --key-schema AttributeName=pk,KeyType=HASH AttributeName=sk,KeyType=RANGE`;
  const { call, close } = lazyClient({
    name, timeoutMs,
    async open() {
      const [{ default: sdk }, config] = await Promise.all([import("@aws-sdk/client-dynamodb"), clientConfig(env, { service: "DYNAMODB", name, region })]);
      return { sdk, client: new sdk.DynamoDBClient(config) };
    },
    failure(error, action) {
      const { name: kind, message } = awsError(error);
      if (kind === "ResourceNotFoundException") return new TwelveError("SERVICE_NOT_FOUND", `${name}: there is no table ${table} (${message})`, { cause: error, fix: `Create it: ${createTable}` });
      return awsFailure(error, name, action);
    },
  });

  return {
    async get(key) {
      return (await call("dynamodb:GetItem", ({ sdk, client: db }, abortSignal) => db.send(new sdk.GetItemCommand({ TableName: table, Key: key, ConsistentRead: true }), { abortSignal }))).Item;
    },
    async *query(input) {
      let after: Item | undefined;
      do {
        const page = await call("dynamodb:Query", ({ sdk, client: db }, abortSignal) => db.send(new sdk.QueryCommand({ TableName: table, ConsistentRead: true, ...input, ...(after === undefined ? {} : { ExclusiveStartKey: after }) }), { abortSignal }));
        yield page.Items ?? [];
        after = page.LastEvaluatedKey;
      } while (after !== undefined);
    },
    async transact(items) {
      try {
        await call("dynamodb:PutItem, dynamodb:UpdateItem", ({ sdk, client: db }, abortSignal) => db.send(new sdk.TransactWriteItemsCommand({ TransactItems: items.map((item) => withTable(item, table)) }), { abortSignal }));
        return "done";
      } catch (error) {
        const codes = reasonsOf(error);
        if (codes.includes("ConditionalCheckFailed")) return "refused";
        if (codes.includes("TransactionConflict")) return "disturbed";
        throw reasonFailure(error, name) ?? error;
      }
    },
    async update(key, expression, values, condition) {
      for (let attempt = 0; ; attempt += 1) {
        try {
          await call("dynamodb:UpdateItem", ({ sdk, client: db }, abortSignal) => db.send(new sdk.UpdateItemCommand({
            TableName: table, Key: key, UpdateExpression: expression, ...(values === undefined ? {} : { ExpressionAttributeValues: values }),
            ...(condition === undefined ? {} : { ConditionExpression: condition }), ...(expression.includes("#ttl") ? { ExpressionAttributeNames: { "#ttl": "ttl" } } : {}),
          }), { abortSignal }));
          return "done";
        } catch (error) {
          if (isCausedBy(error, "ConditionalCheckFailedException")) return "refused";
          // A transaction of another holds the item for a moment.
          if (!isCausedBy(error, "TransactionConflictException") || attempt + 1 >= mostTries) throw error;
          await pause(attempt);
        }
      }
    },
    async remove(keys) {
      for (let start = 0; start < keys.length; start += batchItems) {
        let left = keys.slice(start, start + batchItems).map((Key) => ({ DeleteRequest: { Key } }));
        for (let attempt = 0; left.length > 0; attempt += 1) {
          if (attempt >= mostTries) throw new TwelveError("SERVICE_LIMITED", `${name} leaves deletions undone, again and again`, { retry: { afterMs: null }, fix: "Try again later, or raise the table's write capacity" });
          if (attempt > 0) await pause(attempt);
          const requests = left;
          const answer = await call("dynamodb:BatchWriteItem", ({ sdk, client: db }, abortSignal) => db.send(new sdk.BatchWriteItemCommand({ RequestItems: { [table]: requests } }), { abortSignal }));
          left = (answer.UnprocessedItems?.[table] ?? []) as typeof left;
        }
      }
    },
    async check(signal) {
      const { Table: found } = await call("dynamodb:DescribeTable", ({ sdk, client: db }, abortSignal) => db.send(new sdk.DescribeTableCommand({ TableName: table }), { abortSignal }), signal);
      const keys = (found?.KeySchema ?? []).map(({ AttributeName, KeyType }) => `${AttributeName} ${KeyType}`).join(", ");
      const types = (found?.AttributeDefinitions ?? []).filter(({ AttributeName }) => AttributeName === "pk" || AttributeName === "sk").map(({ AttributeType }) => AttributeType);
      if (keys === "pk HASH, sk RANGE" && types.some((type) => type !== "S")) throw new TwelveError("SERVICE_REJECTED", `${name}: the keys pk and sk of the table ${table} must be strings`, { fix: `Use another table: ${createTable}` });
      if (keys !== "pk HASH, sk RANGE") throw new TwelveError("SERVICE_REJECTED", `${name}: the table ${table} has the keys ${keys}, and needs pk HASH, sk RANGE`, { fix: `Use another table: ${createTable}` });
      const status = found?.TableStatus ?? "UNKNOWN";
      if (status !== "ACTIVE" && status !== "UPDATING") throw new TwelveError("SERVICE_UNAVAILABLE", `${name}: the table ${table} cannot be used, its status is ${status}`, status === "CREATING" ? { retry: { afterMs: null }, fix: "Wait until it is ACTIVE" } : { fix: "Look at the table in the AWS console" });
      const ttl = await call("dynamodb:DescribeTimeToLive", ({ sdk, client: db }, abortSignal) => db.send(new sdk.DescribeTimeToLiveCommand({ TableName: table }), { abortSignal }), signal).catch((error: unknown) => {
        if (signal?.aborted === true) throw error;
        return undefined;
      });
      const { TimeToLiveStatus, AttributeName } = ttl?.TimeToLiveDescription ?? {};
      return { status, expires: ttl === undefined ? "unknown" : TimeToLiveStatus === "ENABLED" && AttributeName === "ttl" };
    },
    close,
  };
}

function withTable(item: Omit<TransactWriteItem, "Get">, TableName: string): TransactWriteItem {
  return Object.fromEntries(Object.entries(item).map(([kind, request]) => [kind, { ...(request as object), TableName }])) as TransactWriteItem;
}

function pause(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.min(longestPauseMs, 50 * 2 ** attempt)));
}

/** A cancelled transaction tells the true trouble, such as throttling, among its reasons. */
function reasonFailure(error: unknown, what: string): TwelveError | undefined {
  if (!isCausedBy(error, "TransactionCanceledException")) return undefined;
  const cause = (error as TwelveError).cause as { readonly CancellationReasons?: readonly { readonly Code?: string; readonly Message?: string }[]; readonly $metadata?: object };
  const reason = cause.CancellationReasons?.find(({ Code = "None" }) => Code !== "None");
  if (reason === undefined) return undefined;
  return awsFailure(Object.assign(new Error(reason.Message ?? "", { cause }), { name: reason.Code, $metadata: cause.$metadata }), what, "dynamodb:PutItem, dynamodb:DeleteItem");
}

/** Why a transaction was refused, item by item. */
function reasonsOf(error: unknown): readonly string[] {
  if (!isCausedBy(error, "TransactionCanceledException")) return isCausedBy(error, "TransactionConflictException") ? ["TransactionConflict"] : [];
  const { CancellationReasons = [] } = (error as TwelveError).cause as { readonly CancellationReasons?: readonly { readonly Code?: string }[] };
  return CancellationReasons.map(({ Code = "" }) => Code);
}
