import { describe, expect, it } from "vitest";
import { scrub } from "../../src/core/scrub.ts";

describe("scrub", () => {
  it.each([
    ["Write to ann.o'hara+x@mail.example.co.uk, please.", "Write to [email], please."],
    ["grüße@müller.example is fine", "[email] is fine"],
    ["Card 4111 1111 1111 1111 or 5500-0000-0000-0004.", "Card [card] or [card]."],
    ["IBAN DE89 3704 0044 0532 0130 00 and GB82WEST12345698765432", "IBAN [iban] and [iban]"],
    ["from 192.168.0.1:8080 to 10.0.0.255", "from [ip]:8080 to [ip]"],
    ["SSN 078-05-1120", "SSN [ssn]"],
    ["Call +31 (0)30 123 45 67 or +1-202-555-0143.", "Call [phone] or [phone]."],
    ["Call (202) 555-0143 or 202-555-0143 or 030 1234567", "Call [phone] or [phone] or [phone]"],
    ["key sk-proj-abcdefghijklmnop1234 and AKIAIOSFODNN7EXAMPLE", "key [key] and [key]"],
    ["The key tw_MLpDUr8BFH2z-_aB3kTq9wYxVnCe5sJ6oHgR1iE0uLk was sent", "The key [key] was sent"],
    ["ghp_abcdefghijklmnopqrstuvwxyz0123456789", "[key]"],
    ["Authorization: Bearer abcdefghijklmnopqrstuvwx==", "Authorization: [key]"],
    ["token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_123", "token [key]"],
    ["-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nrest", "[key]\nrest"],
  ])("takes out %j", (text, scrubbed) => {
    expect(scrub(text)).toBe(scrubbed);
  });

  it.each([
    "Version 1.2.3.4.5 of 2026-11-23 at 13:49:23.123Z",
    "Order 4711 costs 1,234.56 EUR for 1234567 items",
    "4111 1111 1111 1112 has a wrong check digit",
    "DE89 3704 0044 0532 0130 01 has a wrong check sum",
    "999.1.1.300 is no address, 3.14 no number to call",
    "See chapter 3.2, pages 100-120, ISBN 978-3-16-148410",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "000-12-3456 was never issued",
    "Ask @support or write user@localhost",
    "sk-learn is a library, task-oriented-dialogue too",
  ])("leaves %j alone", (text) => {
    expect(scrub(text)).toBe(text);
  });

  it("takes time in proportion to the text, whatever it holds", () => {
    for (const hostile of ["a.".repeat(50_000), "1 ".repeat(50_000), "a@".repeat(50_000), "+1".repeat(50_000), "DE89".repeat(25_000), "(".repeat(100_000), "-----BEGIN PRIVATE KEY".repeat(5000)]) {
      const startedMs = performance.now();
      scrub(hostile);
      expect(performance.now() - startedMs).toBeLessThan(2000);
    }
  });
});
