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
  const line = document.createElement("div");
  line.append(time, " ", who, what);
  const atEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 40; // or somebody reads what was before
  lines.append(line);
  while (lines.childElementCount > MAX_LINES) lines.firstElementChild.remove();
  if (atEnd) lines.scrollTop = lines.scrollHeight;
}

// Until it is open once, the page says that it connects. Later attempts change nothing: a screen reader reads every
// change, and one that waits for a server would never stop.
function showState({ name, code, text }) {
  if (name === "open") say("Connected");
  else if (name === "waiting") say(`${text} Trying again…`);
  else if (name === "closed") say(text);
  find("send").disabled = name !== "open";
  if (name === "closed" && code === LOGGED_OUT) location.assign("/login");
}

function say(text) {
  const status = find("status");
  if (status.textContent !== text) status.textContent = text;
}

find("write").addEventListener("submit", (event) => {
  event.preventDefault();
  if (field.value.trim() !== "" && socket.send(field.value)) field.value = "";
  field.focus();
});
