// Keeps an open page true: when something changed it is read anew and swapped in; focus, scrolling and what was
// opened stay where they are. Without it the page is read anew every minute by the browser itself.
"use strict";
(() => {
  const EVERY = 60000; // also without an event: another prober may share the store
  const PAUSE = 2000; // a burst of changes is one
  const told = document.getElementById("told");
  let timer = 0;
  let last = 0;
  let isBusy = false;
  let isLive = false;
  let isBehind = false; // what was answered is of before the last change: a newer one is being made
  let isOld = false;

  const keyOf = (element) => {
    if (!element || !document.getElementById("content").contains(element)) return null;
    const name = element.id ? `#${element.id}` : element.getAttribute("href");
    if (!name) return null;
    const alike = find(document, element.tagName, name);
    return { tag: element.tagName, name, index: alike.indexOf(element) };
  };

  const find = (root, tag, name) =>
    [...root.querySelectorAll(tag)].filter((one) => (one.id ? `#${one.id}` : one.getAttribute("href")) === name);

  const say = () => {
    const words = document.querySelector("[data-live]");
    if (!words) return;
    if (isOld) words.textContent = "The prober does not answer: this is old.";
    else words.textContent = isLive ? "It follows what happens." : "It is read anew every minute.";
  };

  const swap = (text) => {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const next = fresh.getElementById("content");
    const old = document.getElementById("content");
    if (!next) return false;
    const focus = keyOf(document.activeElement);
    const hasMain = document.activeElement === old;
    const opened = new Set([...old.querySelectorAll("details[open]")].map((one) => one.id));
    const before = headline(old);
    for (const one of next.querySelectorAll("details")) one.open = opened.has(one.id);
    old.replaceChildren(...next.childNodes);
    document.title = fresh.title || document.title;
    isOld = false;
    say();
    if (focus) {
      const alike = find(old, focus.tag, focus.name);
      const target = alike[Math.min(focus.index, alike.length - 1)];
      (target || old).focus({ preventScroll: true });
    } else if (hasMain) {
      old.focus({ preventScroll: true });
    }
    const after = headline(old);
    if (before !== after) {
      told.textContent = after;
      const shown = old.querySelector("[data-headline]");
      if (shown) shown.classList.add("changed");
    }
    return true;
  };

  const headline = (root) => {
    const found = root.querySelector("[data-headline]");
    return found ? found.textContent.trim() : "";
  };

  const read = async () => {
    if (isBusy || document.hidden) return;
    isBusy = true;
    last = Date.now();
    try {
      const answer = await fetch(location.href, { headers: { "X-Fragment": "1", Accept: "text/html" } });
      if (!swap(await answer.text())) throw new Error(`answered ${answer.status} without a page`);
      if (answer.headers.get("x-behind")) isBehind = true;
    } catch {
      isOld = true; // also where the answer is a refusal: the cookie ended, or the prober starts
      say();
      told.textContent = "The prober does not answer.";
    } finally {
      isBusy = false;
    }
  };

  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      await read();
      clearTimeout(timer);
      timer = setTimeout(soon, isBehind ? PAUSE : EVERY);
      isBehind = false;
    }, Math.max(0, last + PAUSE - Date.now()));
  };

  const events = new EventSource("/events");
  events.addEventListener("changed", soon);
  events.addEventListener("open", () => {
    const wasLive = isLive;
    isLive = true;
    say();
    if (!wasLive && last) soon();
  });
  events.addEventListener("error", () => {
    isLive = false;
    say();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) soon();
  });
  addEventListener("pagehide", () => events.close());
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
  timer = setTimeout(soon, EVERY);
})();
