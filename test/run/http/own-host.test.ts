import { expect, it } from "vitest";
import { isLoopback, isOwnHost } from "../../../src/run/http/own-host.ts";

it.each([
  ["127.0.0.1", true], ["127.8.0.1", true], ["::1", true], ["0:0:0:0:0:0:0:1", true], ["::ffff:127.0.0.1", true], ["localhost", true],
  ["0.0.0.0", false], ["::", false], ["10.0.0.1", false], ["127.0.0.1.example.com", false], ["127.999.1.1", false], ["localhost.example.com", false], ["", false],
])("knows whether %j is this machine only", (host, isOwn) => {
  expect(isLoopback(host)).toBe(isOwn);
});

it.each([
  ["127.0.0.1:3000", true], ["localhost", true], ["LOCALHOST:3000", true], ["app.localhost:3000", true], ["[::1]:3000", true], ["[::1]", true],
  ["evil.example:3000", false], ["127.0.0.1.evil.example", false], ["localhost.evil.example", false], ["evil.example#localhost", false], ["0.0.0.0:3000", false], ["192.168.1.5", false], ["", false],
])("knows whether a request for the host %j can be meant for this machine", (header, isOwn) => {
  expect(isOwnHost(header)).toBe(isOwn);
});
