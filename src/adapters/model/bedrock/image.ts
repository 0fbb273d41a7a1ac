import type { ContentBlock, ImageFormat } from "@aws-sdk/client-bedrock-runtime";
import { TwelveError } from "../../../core/errors.ts";
import type { Image } from "../../../ports/model.ts";

const formats: Readonly<Record<string, ImageFormat>> = { "image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp" };

/** Bedrock fetches nothing by itself. Fails with MODEL_UNABLE for an image that it cannot be given. */
export function imageBlock({ url }: Image, name: string): ContentBlock {
  const [, type = "", data] = /^data:([^;,]*)(?:;[^,]*)?;base64,(.*)$/is.exec(url) ?? [];
  const kind = type.toLowerCase();
  const format = Object.hasOwn(formats, kind) ? formats[kind] : undefined;
  if (data === undefined || format === undefined) {
    const what = url.startsWith("data:") ? `an image of the type ${type === "" ? "that is not named" : type.slice(0, 60)}` : "an image by its address";
    throw new TwelveError("MODEL_UNABLE", `${name} cannot be given ${what}`, { fix: "Send images as data: URLs in base64, as PNG, JPEG, GIF or WebP" });
  }
  return { image: { format, source: { bytes: Buffer.from(data, "base64") } } };
}
