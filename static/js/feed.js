// The feed page: the newest post is on top. The server renders each post, so that the page and the socket
// show the same; what people wrote is escaped there.

import { ReconnectingSocket } from "./reconnecting.js";

const MAX_POSTS = 200; // as many as the server keeps

const find = (id) => document.getElementById(id);
const posts = find("posts");
const field = find("text");
const hint = find("hint");
const status = find("status");

let last = Number(document.body.dataset.last);

const socket = new ReconnectingSocket("/websocket", { onMessage: receive, onState: showState });

// Posts that the server rendered oldest first.
posts.append(...[...posts.children].reverse());

function receive(data) {
  const message = JSON.parse(data);
  if (message.type === "problem") {
    hint.textContent = message.text;
    return;
  }
  const part = document.createElement("template");
  part.innerHTML = message.html;
  const post = part.content.firstElementChild;
  const id = Number(post.dataset.id);
  if (id <= last) return; // it came twice: as news, and as what was missed
  last = id;
  posts.prepend(post);
  while (posts.children.length > MAX_POSTS) posts.lastElementChild.remove();
}

function showState(state) {
  status.dataset.state = state.name;
  status.textContent = { connecting: "Connecting…", open: "Live" }[state.name] ?? state.text;
  find("send").disabled = state.name !== "open";
  if (state.name === "open") socket.send(JSON.stringify({ type: "since", id: last }));
}

find("write").addEventListener("submit", (event) => {
  event.preventDefault();
  hint.textContent = "";
  if (socket.send(JSON.stringify({ type: "post", text: field.value }))) field.value = "";
  field.focus();
});

field.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  find("write").requestSubmit();
});
