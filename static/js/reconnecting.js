// A WebSocket that connects again by itself. Plain JavaScript, no dependencies:
//
//   import { ReconnectingSocket } from "./reconnecting.js";
//
//   const socket = new ReconnectingSocket("/websocket", {
//     onMessage: (data) => console.log(data),
//     onState: (state) => console.log(state.name),
//   });
//   socket.send("hello"); // false when there is no connection: nothing is sent, nothing is queued
//
// Lost messages are not sent again: whether that is right only the application can tell.

/**
 * What close codes mean to people, and whether connecting again makes sense (RFC 6455, 7.4, and the
 * codes of the framework). Codes above 3000 that are not listed are an application's decision to end
 * the connection, so they are final; pass `codes` to say otherwise.
 */
export const CLOSE_CODES = {
  1000: { retry: false, text: "The server ended the connection." },
  1001: { retry: true, text: "The server is restarting." },
  1002: { retry: false, text: "The server did not understand this page." },
  1003: { retry: false, text: "The server did not understand this page." },
  1005: { retry: false, text: "The server ended the connection." },
  1006: { retry: true, text: "The connection was lost." },
  1007: { retry: false, text: "The server did not understand this page." },
  1008: { retry: true, text: "The connection was too slow or broke a rule." },
  1009: { retry: true, text: "A message was too big for the server." },
  1011: { retry: true, text: "Something failed on the server." },
  1012: { retry: true, text: "The server is restarting." },
  1013: { retry: true, text: "The server is busy." },
  4401: { retry: false, text: "You are logged out." },
  4403: { retry: false, text: "You have no access." },
};

/**
 * A state, as `onState` gets it.
 * @typedef {object} State
 * @property {"connecting"|"open"|"waiting"|"closed"} name "closed" is final until `connect()` is called
 * @property {number} attempts failed or short-lived connections in a row
 * @property {number} [until] waiting: when the next attempt begins, as Date.now() counts
 * @property {number} [code] waiting and closed: the close code
 * @property {string} [reason] waiting and closed: the server's words
 * @property {string} [text] waiting and closed: a sentence for people
 */

export class ReconnectingSocket {
  #url;
  #options;
  #socket = null;
  #timer = 0;
  #attempts = 0;
  #state = null;

  /**
   * @param {string} url absolute, or a path on this page's host
   * @param {object} [options]
   * @param {(data: string|Blob|ArrayBuffer) => void} [options.onMessage]
   * @param {(state: State) => void} [options.onState]
   * @param {() => Promise<boolean>} [options.check] called when a connection could not be opened; false
   *   ends the attempts. The browser hides from scripts why a handshake failed, so only the application
   *   can find out whether the server is away or refuses this person.
   * @param {string|string[]} [options.protocols] subprotocols
   * @param {object} [options.codes] additions to CLOSE_CODES
   * @param {number} [options.minDelay] bound of the first wait, in milliseconds
   * @param {number} [options.maxDelay] bound of every wait, in milliseconds
   * @param {number} [options.stableAfter] a connection that lasted this long resets the waits
   * @param {number} [options.connectTimeout] how long an attempt may take
   */
  constructor(url, options = {}) {
    this.#url = new URL(url, document.baseURI);
    this.#url.protocol = this.#url.protocol.replace(/^http/, "ws");
    this.#options = {
      onMessage() {},
      onState() {},
      check: async () => true,
      protocols: [],
      minDelay: 500,
      maxDelay: 15_000,
      stableAfter: 5_000,
      connectTimeout: 10_000,
      ...options,
      codes: { ...CLOSE_CODES, ...options.codes },
    };
    const hurry = () => {
      if (this.#state.name === "waiting" && document.visibilityState === "visible") this.connect();
    };
    // The network is back, or somebody looks at the page again: don't let them wait.
    window.addEventListener("online", hurry);
    document.addEventListener("visibilitychange", hurry);
    this.connect();
  }

  /** Connects at once, unless that is under way or done. Begins anew after "closed". */
  connect() {
    if (this.#socket) return;
    clearTimeout(this.#timer);
    const socket = new WebSocket(this.#url, this.#options.protocols);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#enter({ name: "connecting" });

    let opened = 0;
    // A close before the handshake is over makes the browser fire "close" with 1006.
    this.#timer = setTimeout(() => socket.close(), this.#options.connectTimeout);
    socket.onopen = () => {
      if (this.#socket !== socket) return;
      clearTimeout(this.#timer);
      opened = Date.now();
      this.#enter({ name: "open" });
    };
    socket.onmessage = (event) => {
      if (this.#socket === socket) this.#options.onMessage(event.data);
    };
    socket.onclose = (event) => {
      if (this.#socket === socket) this.#ended(event, opened);
    };
  }

  /** Sends now, or returns false when there is no connection. */
  send(data) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(data);
    return true;
  }

  /** Ends the connection and all attempts, until `connect()` is called. */
  close(code = 1000, reason = "") {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(code, reason);
    this.#enter({ name: "closed", code, reason, text: "Disconnected." });
  }

  async #ended({ code, reason }, opened) {
    clearTimeout(this.#timer);
    if (opened && Date.now() - opened >= this.#options.stableAfter) this.#attempts = 0;
    const { retry, text } = this.#options.codes[code] ?? { retry: code < 3000, text: "The connection ended." };
    if (opened && !retry) {
      this.#socket = null;
      this.#enter({ name: "closed", code, reason, text });
      return;
    }
    if (!opened) {
      // The ended socket stays in its place meanwhile, so that no other attempt begins beside the check.
      const ended = this.#socket;
      const goOn = await this.#options.check().catch(() => true);
      if (this.#socket !== ended) return; // close() was called
      if (!goOn) {
        this.#socket = null;
        this.#enter({ name: "closed", code, reason, text: "The server refused the connection." });
        return;
      }
    }
    this.#socket = null;
    // Full jitter: the pages of a server that restarts must not all come back in the same moment.
    const bound = Math.min(this.#options.maxDelay, this.#options.minDelay * 2 ** this.#attempts);
    const delay = Math.random() * bound;
    this.#attempts++;
    this.#timer = setTimeout(() => this.connect(), delay);
    this.#enter({
      name: "waiting",
      until: Date.now() + delay,
      code,
      reason,
      text: opened ? text : "No connection to the server.",
    });
  }

  #enter(state) {
    this.#state = { attempts: this.#attempts, ...state };
    this.#options.onState(this.#state);
  }
}
