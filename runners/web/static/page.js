// Keeps an open page true: when something changed it is read anew and swapped in; focus, scrolling and what was
// opened stay where they are. What could not be read anew is shown as old, never as if it were so now.
// Without it the page is read anew every minute by the browser itself.
"use strict";
(() => {
  const EVERY = 60000; // also without an event: another prober may share the store
  const PAUSE = 2000; // a burst of changes is one
  const AGAIN = 5000; // the prober did not answer: it may be there again
  const LIMIT = 10000; // a network that has just woken up may never answer
  const OLD = 150000; // older than two rounds: this tab slept
  const told = document.getElementById("told");
  const warning = document.getElementById("old");
  let events = null;
  let timer = 0;
  let last = 0; // when it was asked for last
  let connected = 0; // when the stream was asked for last
  let madeAt = Date.now(); // when what is shown was answered: by this browser's clock, which is compared with itself alone
  let title = document.title;
  let isBusy = false;
  let isLive = false;
  let changes = 0; // so many were told of
  let isBehind = false; // what was answered is of before the last change: a newer one is being made
  let isLost = false; // the prober did not answer
  let doubts = 0; // so often it is asked again soon: one that ends closes the stream first, and still answers for a moment

  const keyOf = (element) => {
    if (!element || !document.getElementById("content").contains(element)) return null;
    const name = element.id ? `#${element.id}` : element.getAttribute("href");
    if (!name) return null;
    const alike = find(document, element.tagName, name);
    return { tag: element.tagName, name, index: alike.indexOf(element) };
  };

  const find = (root, tag, name) =>
    [...root.querySelectorAll(tag)].filter((one) => (one.id ? `#${one.id}` : one.getAttribute("href")) === name);

  const long = (milliseconds) => {
    const minutes = Math.floor(milliseconds / 60000);
    if (minutes < 1) return `${Math.floor(milliseconds / 1000)} s`;
    if (minutes < 60) return `${minutes} min`;
    return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  };

  // Says how old the page is: at its top where it must not be taken for now, else beside the time.
  const say = () => {
    const age = Date.now() - madeAt;
    const isOld = isLost || age > OLD;
    const asOf = document.querySelector(".asof time");
    document.documentElement.classList.toggle("old", isOld);
    document.title = isOld ? `Old: ${title}` : title;
    warning.hidden = !isOld;
    if (isOld) {
      const why = isLost ? "The prober does not answer." : "This page was asleep, and is being read anew.";
      warning.textContent = `${why} What is shown is of ${asOf ? asOf.textContent : "before"}, ${long(age)} ago.`;
    }
    const words = document.querySelector("[data-live]");
    if (!words) return;
    if (isLost) words.textContent = "The prober does not answer: this is old.";
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
    title = fresh.title || title;
    madeAt = Date.now();
    const wasLost = isLost;
    isLost = false;
    say();
    if (focus) {
      const alike = find(old, focus.tag, focus.name);
      const target = alike[Math.min(focus.index, alike.length - 1)];
      (target || old).focus({ preventScroll: true });
    } else if (hasMain) {
      old.focus({ preventScroll: true });
    }
    const after = headline(old);
    if (wasLost) told.textContent = `The prober answers again. ${after}`;
    else if (before !== after) told.textContent = after;
    const shown = old.querySelector("[data-headline]");
    if (shown && before !== after) shown.classList.add("changed");
    return true;
  };

  const headline = (root) => {
    const found = root.querySelector("[data-headline]");
    return found ? found.textContent.trim() : "";
  };

  const read = async () => {
    if (isBusy) return;
    isBusy = true;
    last = Date.now();
    const before = changes;
    const giving = new AbortController(); // AbortSignal.timeout is missing before Safari 16 and Chrome 103
    const limit = setTimeout(() => giving.abort(), LIMIT);
    try {
      const answer = await fetch(location.href, {
        headers: { "X-Fragment": "1", Accept: "text/html" },
        signal: giving.signal,
      });
      if (!swap(await answer.text())) throw new Error(`answered ${answer.status} without a page`);
      if (answer.headers.get("x-behind")) isBehind = true;
    } catch {
      // Also where the answer is a refusal: the cookie ended, or the prober starts.
      if (!isLost) told.textContent = "The prober does not answer.";
      isLost = true;
      say();
    } finally {
      clearTimeout(limit);
      if (changes !== before) isBehind = true; // what was answered may be of before them
      isBusy = false;
    }
  };

  const soon = () => {
    clearTimeout(timer);
    const pause = document.hidden ? EVERY : PAUSE; // of what nobody sees only the title matters
    timer = setTimeout(async () => {
      const isMissed = isBusy; // what is being read may be of before the last change
      await read();
      clearTimeout(timer);
      timer = setTimeout(soon, isLost || doubts > 0 ? AGAIN : isBehind || isMissed ? PAUSE : EVERY);
      isBehind = false;
      doubts = Math.max(0, doubts - 1);
      // A browser gives a stream up for good when it is refused once, as while the prober starts.
      if (!isLost && events.readyState === EventSource.CLOSED && Date.now() - connected >= EVERY) connect();
    }, Math.max(0, last + pause - Date.now()));
  };

  const connect = () => {
    if (events) events.close();
    connected = Date.now();
    events = new EventSource("/events");
    events.addEventListener("changed", () => {
      changes += 1;
      soon();
    });
    events.addEventListener("open", () => {
      const wasLive = isLive;
      isLive = true;
      doubts = 0;
      say();
      if (wasLive || !last) return;
      changes += 1; // what changed while nobody listened was not told
      soon();
    });
    events.addEventListener("error", () => {
      const wasLive = isLive;
      isLive = false;
      say();
      if (!wasLive) return;
      doubts = 4;
      soon(); // whether it is gone, or only the stream ended
    });
  };

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    say();
    soon();
  });
  addEventListener("pagehide", () => events.close());
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return; // it comes out of the browser's memory, as it was when it was left
    isLive = false;
    say();
    connect();
    soon();
  });
  setInterval(say, 15000);
  connect();
  timer = setTimeout(soon, EVERY);
})();
