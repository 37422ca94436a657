"""What the page does: filter, show more, open a change. One constant; it writes texts, never markup, and asks nobody."""

from __future__ import annotations

SCRIPT = """
"use strict";
(() => {
  const STEP = 200, PAUSE = 120;
  const at = id => document.getElementById(id);
  const page = JSON.parse(at("plan-rows").textContent);
  const {actions, texts, shapes, rows} = page;
  const [ACTION, ADDRESS, TARGET, REASON, SOURCE, FACTS, SHAPE, VALUES] = [0, 1, 2, 3, 4, 5, 6, 7];
  const tones = JSON.parse(at("plan-rows").dataset.tones);
  const list = at("rows"), count = at("count"), more = at("more"), find = at("find"), unfold = at("unfold");
  const number = new Intl.NumberFormat("en");
  let lower = null, found = rows.map((_, i) => i), shown = 0;

  const make = (name, className, text) => {
    const element = document.createElement(name);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };

  const holds = word => {
    lower ??= texts.map(text => text.toLowerCase());
    const hits = new Uint8Array(texts.length);
    for (let i = 0; i < lower.length; i++) if (lower[i].includes(word)) hits[i] = 1;
    const named = actions.map(([name]) => name.includes(word));
    const any = indexes => indexes.some(i => i >= 0 && hits[i]);
    return row => named[row[ACTION]] || hits[row[ADDRESS]] || hits[row[TARGET]] || hits[row[REASON]] || hits[row[SOURCE]] ||
      any(row[FACTS]) || any(row[VALUES]) || any(shapes[row[SHAPE]]);
  };

  const filter = () => {
    const chips = [...document.querySelectorAll(".chip")];
    const pressed = new Set(chips.filter(c => c.getAttribute("aria-pressed") === "true").map(c => c.dataset.action));
    const words = find.value.toLowerCase().split(/\\s+/).filter(Boolean).map(holds);
    found = [];
    rows.forEach((row, i) => {
      if ((!pressed.size || pressed.has(actions[row[ACTION]][0])) && words.every(word => word(row))) found.push(i);
    });
    list.replaceChildren();
    shown = 0;
    show();
  };

  const show = () => {
    const part = document.createDocumentFragment(), first = shown;
    shown = Math.min(found.length, shown + STEP);
    for (let i = first; i < shown; i++) part.append(line(rows[found[i]]));
    list.append(part);
    more.hidden = shown === found.length;
    more.textContent = `Show ${number.format(Math.min(STEP, found.length - shown))} more`;
    unfold.hidden = !found.length;
    unfold.textContent = "Open all that are shown";
    count.textContent = found.length
      ? `Showing ${number.format(shown)} of ${number.format(found.length)} changes` +
        (found.length < rows.length ? ` (${number.format(rows.length)} without the filter).` : ".")
      : "No change fits the filter.";
    return list.children[first];
  };

  const line = row => {
    const item = make("li"), details = make("details"), summary = make("summary");
    const [name, symbol] = actions[row[ACTION]], side = make("span", "side");
    details.className = tones[name] ?? "none";
    summary.append(make("span", "act mono", `${symbol} ${name}`), make("code", "addr", texts[row[ADDRESS]]), side);
    side.textContent = [texts[row[REASON]], texts[row[SOURCE]]].filter(Boolean).join(" \\u00b7 ");
    details.append(summary);
    details.addEventListener("toggle", () => { if (details.children.length < 2) details.append(body(row)); });
    item.append(details);
    return item;
  };

  const body = row => {
    const box = make("div", "more"), facts = make("dl");
    facts.append(make("dt", "", "target"), make("dd", "", texts[row[TARGET]]));
    for (let i = 0; i < row[FACTS].length; i += 2) {
      facts.append(make("dt", "", texts[row[FACTS][i]]), make("dd", "", texts[row[FACTS][i + 1]]));
    }
    box.append(facts);
    if (row[VALUES].length) box.append(sides(row));
    return box;
  };

  const sides = row => {
    const table = make("table"), head = table.createTHead().insertRow(), rest = table.createTBody();
    table.prepend(make("caption", "unseen", `Fields of ${texts[row[ADDRESS]]} before and after`));
    for (const name of ["Field", "Before", "After"]) {
      const cell = make("th", "", name);
      cell.scope = "col";
      head.append(cell);
    }
    shapes[row[SHAPE]].forEach((path, i) => {
      const [old, now] = row[VALUES].slice(2 * i, 2 * i + 2), line = rest.insertRow(), name = make("th");
      name.scope = "row";
      name.append(make("code", "", texts[path]));
      if (old !== now && old >= 0 && now >= 0) name.append(make("span", "soft", " \\u2260"), make("span", "unseen", " changed"));
      line.className = old === now ? "same" : "";
      line.append(name, cell(old, old !== now && "old"), cell(now, old !== now && "new"));
    });
    return table;
  };

  const cell = (index, tone) => {
    const made = make("td", index < 0 ? "gone" : tone || "");
    made.append(index < 0 ? "\\u2013" : make("code", "", texts[index]));
    if (index < 0) made.append(make("span", "unseen", " absent"));
    return made;
  };

  let waiting;
  find.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, PAUSE); });
  for (const chip of document.querySelectorAll(".chip")) {
    chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      filter();
    });
  }
  at("all").addEventListener("click", () => {
    find.value = "";
    for (const chip of document.querySelectorAll(".chip")) chip.setAttribute("aria-pressed", "false");
    filter();
  });
  more.addEventListener("click", () => show()?.querySelector("summary").focus());
  unfold.addEventListener("click", () => {
    const open = unfold.textContent.startsWith("Open");
    for (const details of list.querySelectorAll("details")) details.open = open;
    unfold.textContent = open ? "Close all" : "Open all that are shown";
  });
  document.addEventListener("keydown", event => {
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && document.activeElement !== find) {
      event.preventDefault();
      find.focus();
    } else if (event.key === "Escape" && document.activeElement === find && find.value) {
      find.value = "";
      filter();
    }
  });
  document.body.classList.add("scripted");
  at("changes-tools").hidden = false;
  filter();
})();
"""
