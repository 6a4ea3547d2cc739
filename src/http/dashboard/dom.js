// Elements without markup in strings: text stays text, whoever wrote it.

const SVG = "http://www.w3.org/2000/svg";

export const $ = id => document.getElementById(id);

export function h(tag, properties, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false));
  return node;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

// Replaces what is in `node` when `signature` (anything JSON can hold) is another than the last time. The focus stays on
// the element with the same data-key.
export function redraw(node, signature, build) {
  const text = JSON.stringify(signature);
  if (node.drawn === text) return false;
  node.drawn = text;
  const key = node.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  node.replaceChildren(...[build()].flat(Infinity).filter(Boolean));
  if (key) node.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  return true;
}

// A sentence with `commands` in it, as the program writes them.
export const prose = text => String(text).split("`").map((part, n) => n % 2 ? h("code", null, part) : part);

export function announce(text) {
  const place = $("announce");
  place.textContent = place.textContent === text ? `${text}\u00a0` : text; // the same words again are read again
}

// A text in its own line with a button that copies it.
export function copyable(text, label, shown = text) {
  const button = h("button", { type: "button", class: "quiet square copy", "aria-label": `Copy ${label}`, title: "Copy",
    "data-key": `copy ${label}`,
    onclick: async () => {
      try {
        await navigator.clipboard.writeText(text);
        announce(`${label} copied`);
        button.classList.add("done");
        button.replaceChildren(icon("ok"));
      } catch {
        announce(`This browser does not let the page copy. ${label}: ${text}`);
      }
    } }, icon("copy"));
  return h("span", { class: "copyable" }, h("code", { title: text }, shown), button);
}
