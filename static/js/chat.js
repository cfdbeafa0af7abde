// The chat page: shows what the server sends and sends what a person writes. Whatever comes from
// people goes through textContent, so it is text on the page and never markup.

import { ReconnectingSocket } from "./reconnecting.js";

const LOGIN = "/login?next=/";
const LOGGED_OUT = 4401;
const MAX_ROWS = 500; // older ones leave the page, which may stay open for weeks

// A name may hold anything but "-说:", so the first one ends the time. Notices begin with "{".
const LINE = /^(.+?)-((\d{4}-\d\d-\d\d) (\d\d:\d\d):\d\d)-说:(.*)$/su;

const find = (id) => document.getElementById(id);
const log = find("log");
const messages = find("messages");
const newer = find("newer");
const field = find("text");
const hint = find("hint");
const status = find("status");
const me = document.body.dataset.user;

// What was sent and not yet seen in the chat: given back to its writer if the connection breaks.
let unconfirmed = [];
let following = true; // the end of the messages is in view; who reads further up stays there
let leaving = false;
let countdown = 0;

const socket = new ReconnectingSocket("/websocket", { onMessage: receive, onState: showState, check });

// The handshake failed. If that is because nobody is logged in any more, the page leads to the login.
async function check() {
  const answer = await fetch("/", {
    method: "HEAD",
    redirect: "manual",
    cache: "no-store",
    signal: AbortSignal.timeout(5_000),
  });
  if (answer.type !== "opaqueredirect") return true;
  location.assign(LOGIN);
  return false;
}

function receive(data) {
  if (typeof data !== "string") return;
  if (!data.startsWith("{")) {
    showLine(data);
    return;
  }
  const notice = JSON.parse(data);
  switch (notice.type) {
    case "joined":
    case "left":
      showPeople(notice.online);
      // The connection's state already says that we are in.
      if (notice.name !== me) addRow("notice", element("bdi", "name", notice.name), ` ${notice.type}`);
      break;
    case "error":
      giveBack(unconfirmed.splice(0, 1));
      hint.textContent = notice.text;
      break;
  }
}

function showLine(line) {
  const [, name, stamp, date, minutes, text] = LINE.exec(line) ?? [];
  if (name === undefined) {
    addRow("notice", line);
    return;
  }
  const time = element("time", "", minutes);
  time.dateTime = stamp.replace(" ", "T");
  time.title = stamp;
  const meta = element("p", "meta", element("bdi", "name", name), " ", time);
  const body = element("p", "text", text);
  body.dir = "auto";
  const mine = name === me;
  if (mine) {
    const sent = unconfirmed.indexOf(text);
    if (sent >= 0) unconfirmed.splice(sent, 1);
  }
  addRow(mine ? "message mine" : "message", meta, body);
}

function showPeople(names = []) {
  find("online").ariaBusy = "false";
  find("count").textContent = names.length;
  find("online").replaceChildren(...names.map((name) => {
    const item = element("li", name === me ? "self" : "", element("bdi", "name", name));
    if (name === me) item.append(element("span", "you", " (you)"));
    return item;
  }));
}

function showState(state) {
  clearInterval(countdown);
  const lost = state.name === "closed" || (state.name !== "open" && state.attempts > 0);
  status.dataset.state = state.name;
  document.body.classList.toggle("offline", lost);
  find("retry").hidden = !lost;
  find("send").disabled = state.name !== "open";
  find("online").ariaBusy = "true"; // until the server says who is there now
  switch (state.name) {
    case "connecting":
      // Between two attempts the words stay the same, so a screen reader says them once.
      showStatus(lost ? null : "Connecting", "…");
      break;
    case "open":
      showStatus("Connected");
      hint.textContent = "";
      break;
    case "waiting": {
      const tick = () => {
        const seconds = Math.max(1, Math.ceil((state.until - Date.now()) / 1000));
        showStatus(`${state.text} Trying again`, ` in ${seconds} s`);
      };
      tick();
      countdown = setInterval(tick, 250);
      giveBack(unconfirmed.splice(0));
      break;
    }
    case "closed":
      showStatus(state.text);
      giveBack(unconfirmed.splice(0));
      // The page that logs out is on its way to the login already.
      if (state.code === LOGGED_OUT && !leaving) location.assign(LOGIN);
      break;
  }
}

function showStatus(text, wait = "") {
  const spoken = find("status-text");
  if (text !== null && spoken.textContent !== text) spoken.textContent = text;
  find("status-wait").textContent = wait;
}

function giveBack(texts) {
  if (texts.length === 0) return;
  field.value = [...texts, field.value].filter(Boolean).join("\n");
}

function addRow(kind, ...content) {
  messages.append(element("li", kind, ...content));
  while (messages.childElementCount > MAX_ROWS) messages.firstElementChild.remove();
  if (following) scrollToEnd();
  else newer.hidden = false;
}

function scrollToEnd() {
  log.scrollTop = log.scrollHeight;
}

// Strings become text nodes here: never markup.
function element(tag, className, ...content) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...content);
  return node;
}

find("write").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = field.value;
  field.focus();
  if (text.trim() === "") {
    field.value = "";
    hint.textContent = "Write something first.";
    return;
  }
  if (!socket.send(text)) {
    hint.textContent = "Not connected. Your message stays here until you can send it.";
    return;
  }
  unconfirmed.push(text);
  field.value = "";
  hint.textContent = "";
  scrollToEnd();
});

field.addEventListener("keydown", (event) => {
  // Enter sends and Shift+Enter begins a new line; while an input method composes, Enter is its own.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  find("write").dispatchEvent(new SubmitEvent("submit", { cancelable: true }));
});
field.addEventListener("input", () => { hint.textContent = ""; });

let height = log.clientHeight;
log.addEventListener("scroll", () => {
  if (log.clientHeight !== height) return; // it was the layout, not a person
  following = log.scrollHeight - log.scrollTop - height < 40;
  if (following) newer.hidden = true;
});
// The height changes with the field, and when a phone shows its keyboard.
new ResizeObserver(() => {
  height = log.clientHeight;
  if (following) scrollToEnd();
}).observe(log);
newer.addEventListener("click", () => {
  scrollToEnd();
  field.focus();
});

find("retry").addEventListener("click", () => {
  field.focus(); // the button is about to go
  socket.connect();
});
find("logout").addEventListener("submit", () => { leaving = true; });
