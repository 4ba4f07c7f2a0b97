// Making and updating elements. Text is always text: nothing that comes over the wire is parsed as markup.

const SVG = 'http://www.w3.org/2000/svg';

export const byId = (id) => document.getElementById(id);

/** An HTML element; `on...` attributes are listeners, a null or false attribute is left out. */
export function element(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element. */
export function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === 'function') node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Sets a text only where it differs, so that a selection or a screen reader is not disturbed. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Rebuilds a node's children only when what they are made from has changed. */
export function refresh(node, source, build) {
  const signature = JSON.stringify(source);
  if (node.dataset.signature === signature) return false;
  node.dataset.signature = signature;
  node.replaceChildren(...build());
  return true;
}
