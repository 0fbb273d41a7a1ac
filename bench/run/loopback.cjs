/** Loaded before a program that would listen on every address: a benchmark opens nothing to the network. */
const { Server } = require("node:net");

const { value: listen } = Object.getOwnPropertyDescriptor(Server.prototype, "listen");
Server.prototype.listen = function (port, ...rest) {
  return typeof port === "number" ? listen.call(this, { port, host: "127.0.0.1" }, rest.findLast((each) => typeof each === "function")) : listen.call(this, port, ...rest);
};
