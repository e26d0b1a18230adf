// The API page: every address of the OpenAPI description, by tag.

const box = document.querySelector("[data-api]");
const words = box.dataset;

function make(tag, className, ...content) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...content.filter((part) => part !== null && part !== undefined && part !== ""));
  return node;
}

function resolve(spec, thing) {
  return thing?.$ref ? thing.$ref.slice(2).split("/").reduce((at, key) => at?.[key], spec) ?? {} : thing ?? {};
}

function typeName(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.type === "array") return `[${typeName(schema.items)}]`;
  return schema.format ? `${schema.type} (${schema.format})` : schema.type ?? "";
}

function parameterTable(spec, parameters) {
  const table = make("table", "api-table");
  table.append(make("thead", "", make("tr", "", ...[words.wordName, words.wordWhere, words.wordMeaning].map((text) => { const th = make("th", "", text); th.scope = "col"; return th; }))));
  const body = make("tbody");
  for (const item of parameters.map((parameter) => resolve(spec, parameter))) {
    const name = make("td", "", make("code", "", item.name));
    if (item.required) name.append(" ", make("span", "quiet", words.wordRequired));
    body.append(make("tr", "", name, make("td", "", item.in), make("td", "", [typeName(item.schema), item.description].filter(Boolean).join(" · "))));
  }
  table.append(body);
  return table;
}

function answerList(spec, responses) {
  const list = make("dl", "facts");
  for (const [status, raw] of Object.entries(responses ?? {})) {
    const answer = resolve(spec, raw);
    const schema = Object.values(answer.content ?? {})[0]?.schema;
    list.append(make("dt", "", make("code", "", status)), make("dd", "", [answer.description, typeName(schema)].filter(Boolean).join(" · ")));
  }
  return list;
}

function operationNode(spec, path, method, operation, shared) {
  const title = operation.summary || operation.description?.split("\n")[0] || "";
  const node = make("details", "api-operation", make("summary", "", make("span", `method method-${method}`, method.toUpperCase()), make("code", "", path), make("span", "muted", title)));
  node.addEventListener("toggle", () => {
    if (!node.open || node.querySelector(".api-body")) return;
    const parameters = [...shared, ...(operation.parameters ?? [])];
    const sent = Object.entries(resolve(spec, operation.requestBody).content ?? {}).map(([kind, body]) => `${kind}: ${typeName(body.schema)}`).join(", ");
    const body = make("div", "api-body");
    if (operation.description && operation.description !== title) body.append(make("p", "lines", operation.description));
    if (parameters.length) body.append(make("h3", "", words.wordParameters), parameterTable(spec, parameters));
    if (sent) body.append(make("h3", "", words.wordBody), make("p", "", make("code", "", sent)));
    body.append(make("h3", "", words.wordAnswers), answerList(spec, operation.responses));
    node.append(body);
  });
  return node;
}

function byTag(spec) {
  const tags = new Map();
  for (const [path, item] of Object.entries(spec.paths ?? {})) {
    for (const method of ["get", "post", "put", "patch", "delete"]) {
      const operation = item[method];
      if (!operation) continue;
      const tag = operation.tags?.[0] ?? "API";
      if (!tags.has(tag)) tags.set(tag, []);
      tags.get(tag).push(operationNode(spec, path, method, operation, item.parameters ?? []));
    }
  }
  return tags;
}

function finder() {
  const input = make("input", "form-control api-find");
  input.type = "search";
  input.placeholder = words.wordFind;
  input.setAttribute("aria-label", words.wordFind);
  input.addEventListener("input", () => {
    const term = input.value.trim().toLowerCase();
    for (const section of box.querySelectorAll("section")) {
      const operations = [...section.querySelectorAll(".api-operation")];
      for (const node of operations) node.hidden = !node.querySelector("summary").textContent.toLowerCase().includes(term);
      section.hidden = operations.every((node) => node.hidden);
    }
  });
  return input;
}

try {
  const spec = await (await fetch(words.api, { credentials: "same-origin" })).json();
  const sections = [...byTag(spec)].sort(([a], [b]) => a.localeCompare(b)).map(([tag, nodes]) => make("section", "panel", make("div", "panel-head", make("h2", "", tag)), ...nodes));
  box.replaceChildren(finder(), ...sections);
} catch {
  box.replaceChildren(make("p", "", words.wordFailed));
}
