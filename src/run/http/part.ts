import { z } from "zod";
import type { Image, Message } from "../../ports/model.ts";
import { ignored, mostEntries, never, unsupported } from "./field.ts";

const Text = z.string();
const ImageUrl = z.string().regex(/^(?:https:\/\/|data:image\/)/, "Expected an https: URL, or a data: URL of an image").meta({ description: "https: URL, or data: URL of an image; for models that take images" });
const Detail = z.enum(["auto", "low", "high"], { error: "Expected auto, low or high" }).nullish().meta({ description: "How closely the model looks, where its API has a word for it" });

/** Parts of `messages[].content` of a chat. */
const ChatText = z.strictObject({ type: z.literal("text"), text: Text, prompt_cache_breakpoint: ignored });
const ChatImage = z.strictObject({ type: z.literal("image_url"), image_url: z.strictObject({ url: ImageUrl, detail: Detail }), prompt_cache_breakpoint: ignored });
const Refusal = z.strictObject({ type: z.literal("refusal"), refusal: Text });

/** Parts of `input[].content` of a response. */
const InputText = z.strictObject({ type: z.literal("input_text"), text: Text, prompt_cache_breakpoint: ignored });
const OutputText = z.strictObject({ type: z.literal("output_text"), text: Text, annotations: ignored, logprobs: ignored });
const InputImage = z.strictObject({ type: z.literal("input_image"), image_url: ImageUrl, detail: Detail, file_id: unsupported(never, "Files are not supported; send the image as a URL"), prompt_cache_breakpoint: ignored });

type AnyPart = z.infer<typeof ChatText | typeof ChatImage | typeof Refusal | typeof InputText | typeof OutputText | typeof InputImage>;

const asText = { error: `Expected a string or a list of at most ${mostEntries} parts` };
/** One text, or parts; what else other servers take in parts is named and refused. */
export const ChatQuestion = z.union([Text, z.array(z.discriminatedUnion("type", [ChatText, ChatImage], otherThan("text and image_url are"))).max(mostEntries)], asText);
export const ChatWords = z.union([Text, z.array(z.discriminatedUnion("type", [ChatText], otherThan("text is"))).max(mostEntries)], asText);
export const ChatReply = z.union([Text, z.array(z.discriminatedUnion("type", [ChatText, Refusal], otherThan("text and refusal are"))).max(mostEntries)], asText);
export const InputQuestion = z.union([Text, z.array(z.discriminatedUnion("type", [InputText, InputImage], otherThan("input_text and input_image are"))).max(mostEntries)], asText);
export const InputWords = z.union([Text, z.array(z.discriminatedUnion("type", [InputText], otherThan("input_text is"))).max(mostEntries)], asText);
export const InputReply = z.union([Text, z.array(z.discriminatedUnion("type", [OutputText, InputText, Refusal], otherThan("output_text and refusal are"))).max(mostEntries)], asText);

function otherThan(supported: string): { readonly error: z.core.$ZodErrorMap } {
  return {
    error({ input }) {
      const type = typeof input === "object" && input !== null && "type" in input ? input.type : undefined;
      return typeof type === "string" ? `Parts of type ${type} are not supported here; only ${supported}` : `Expected a part with its type; ${supported} supported`;
    },
  };
}

/** What is said in the parts, as a message carries it: the texts joined, and the images behind them. */
export function saidIn(content: string | readonly AnyPart[] | null | undefined): Pick<Message, "content" | "images"> {
  if (typeof content === "string") return { content };
  const parts = content ?? [];
  const text = parts.map((part) => ("text" in part ? part.text : "refusal" in part ? part.refusal : "")).join("");
  const images = parts.flatMap((part) => ("image_url" in part ? [imageOf(part)] : []));
  return { content: text, ...(images.length === 0 ? {} : { images }) };
}

function imageOf(part: z.infer<typeof ChatImage | typeof InputImage>): Image {
  const { url, detail } = typeof part.image_url === "string" ? { url: part.image_url, detail: "detail" in part ? part.detail : undefined } : part.image_url;
  return { url, ...(detail == null || detail === "auto" ? {} : { detail }) };
}
