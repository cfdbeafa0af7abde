// The chat page: shows what the server sends and sends what a person writes. What people wrote goes through
// textContent, so it is text on the page and never markup.

import { ReconnectingSocket } from "./reconnecting.js";

const LOGGED_OUT = 4401;
const MAX_LINES = 500; // older ones leave the page, which may stay open for weeks

const find = (id) => document.getElementById(id);
const lines = find("lines");
const field = find("text");

const socket = new ReconnectingSocket("/websocket", { onMessage: showLine, onState: showState, check });

// The handshake failed. If that is because nobody is logged in any more, the page leads to the login.
async function check() {
  const answer = await fetch("/", {
    method: "HEAD",
    redirect: "manual",
    cache: "no-store",
    signal: AbortSignal.timeout(5_000),
  });
  if (answer.type !== "opaqueredirect") return true;
  location.assign("/login");
  return false;
}

function showLine(data) {
  const { name, text, at } = JSON.parse(data);
  const time = document.createElement("time");
  time.dateTime = at;
  time.textContent = new Date(at).toLocaleTimeString();
  const who = document.createElement("bdi");
  who.textContent = name;
  const what = document.createElement("p");
  what.textContent = text;
  what.dir = "auto";
  const line = document.createElement("li");
  line.append(time, " ", who, what);
  lines.append(line);
  while (lines.childElementCount > MAX_LINES) lines.firstElementChild.remove();
  line.scrollIntoView();
}

function showState(state) {
  find("status").textContent = { connecting: "Connecting…", open: "Connected" }[state.name] ?? state.text;
  find("send").disabled = state.name !== "open";
  if (state.name === "closed" && state.code === LOGGED_OUT) location.assign("/login");
}

find("write").addEventListener("submit", (event) => {
  event.preventDefault();
  if (field.value.trim() !== "" && socket.send(field.value)) field.value = "";
  field.focus();
});
