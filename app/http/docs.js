// Renders /openapi.json and /asyncapi.json: what can be asked, with a form to try it, and what is sent unasked.
"use strict";

const $ = (id) => document.getElementById(id);

/** An element: its tag (with `.classes`), properties, and children, which are elements or text. */
function el(tag, properties, ...children) {
  const [name, ...classes] = tag.split(".");
  const made = document.createElement(name);
  made.className = classes.join(" ");
  Object.assign(made, properties);
  made.append(...children.flat(Infinity).filter((each) => each !== null && each !== undefined && each !== ""));
  return made;
}

const code = (text) => el("code", {}, text);
const last = (reference) => reference.split("/").pop();
const follow = (root, value) =>
  value && value.$ref ? value.$ref.split("/").slice(1).reduce((at, key) => at[key], root) : value;

/** Text with `code` and blank-line paragraphs. */
function prose(text) {
  return (text || "").split("\n\n").filter(Boolean).map((paragraph) =>
    el("p", {}, paragraph.split("`").map((part, n) => (n % 2 ? code(part) : part))));
}

/** The type of a schema in a few words, with links to named schemas. */
function typeOf(schema) {
  if (!schema) return ["anything"];
  if (schema.$ref) return [el("a", { href: `#schema-${last(schema.$ref)}` }, last(schema.$ref))];
  const choices = schema.anyOf || schema.oneOf;
  if (choices) return choices.flatMap((each, n) => (n ? [" or ", ...typeOf(each)] : typeOf(each)));
  if (schema.enum) return [schema.enum.map((each) => JSON.stringify(each)).join(" | ")];
  if (schema.type === "array") return ["list of ", ...typeOf(schema.items)];
  if (schema.type === "object" && typeof schema.additionalProperties === "object")
    return ["map to ", ...typeOf(schema.additionalProperties)];
  if (schema.contentMediaType) return ["file"];
  return [[schema.type || "anything", schema.format].filter(Boolean).join(", ")];
}

const LIMITS = { minimum: "≥", maximum: "≤", exclusiveMinimum: ">", exclusiveMaximum: "<", minLength: "length ≥", maxLength: "length ≤", minItems: "items ≥", maxItems: "items ≤", pattern: "matches" };

function limits(schema) {
  const found = Object.entries(LIMITS).filter(([name]) => schema[name] !== undefined).map(([name, sign]) => `${sign} ${schema[name]}`);
  const preset = schema.default;
  if (preset !== undefined && preset !== null && preset.length !== 0) found.push(`default ${JSON.stringify(preset)}`);
  return found.join(", ");
}

function row(name, schema, needed, description) {
  return el("tr", {}, el(`td.name${needed ? ".needed" : ""}`, {}, name), el("td.type", {}, typeOf(schema)),
    el("td", {}, [limits(schema), description || schema.description].filter(Boolean).join(". ")));
}

function propertyTable(schema) {
  const needed = new Set(schema.required || []);
  return el("table", {}, Object.entries(schema.properties || {}).map(([name, each]) => row(name, each, needed.has(name))));
}

/** A value that fits a schema, to start from. */
function sample(root, schema, depth = 0) {
  const found = follow(root, schema) || {};
  if (found.examples) return found.examples[0];
  if (found.default !== undefined) return found.default;
  if (found.enum) return found.enum[0];
  if (found.anyOf) return sample(root, found.anyOf[0], depth);
  if (found.type === "object")
    return depth > 3 ? {} : Object.fromEntries(Object.entries(found.properties || {}).map(([name, each]) => [name, sample(root, each, depth + 1)]));
  return { array: [], integer: found.minimum ?? 0, number: 0, boolean: false, string: found.format === "uuid" ? "00000000-0000-0000-0000-000000000000" : "" }[found.type] ?? null;
}

const section = (title, ...content) => (content.flat(Infinity).length ? [el("h3", {}, title), ...content] : []);

function card(id, method, path, what, ...inside) {
  return el("details.card", { id }, el("summary", {}, el(`span.method.${method}`, {}, method), el("span.path", {}, path), el("span.what", {}, what)),
    el("div.inside", {}, inside));
}

function operationCard(root, path, method, operation) {
  const parameters = (operation.parameters || []).map((each) => follow(root, each));
  const content = operation.requestBody ? Object.entries(operation.requestBody.content)[0] : null;
  const schema = content ? follow(root, content[1].schema) : null;
  const answers = Object.entries(operation.responses).filter(([, given]) => !given.$ref).map(([status, response]) => {
    const shape = Object.values(response.content || {})[0];
    return el("tr", {}, el("td.name", {}, status), el("td.type", {}, shape && shape.schema ? typeOf(shape.schema) : ""), el("td", {}, response.description));
  });
  const problems = Object.entries(operation.responses).filter(([, given]) => given.$ref);
  answers.push(el("tr", {}, el("td.name", {}, "otherwise"), el("td.type", {}, typeOf({ $ref: "Problem" })),
    el("td", {}, problems.map(([status, given]) => el("span.pill", { title: follow(root, given).description }, status)))));
  const live = (operation.security || []).some((each) => each.accessToken);
  const open = !operation.security || !operation.security.length;
  return card(operation.operationId, method.toUpperCase(), path, operation.summary, prose(operation.description),
    open ? el("span.pill", {}, "no key needed") : [],
    section("Parameters", parameters.length ? el("table", {}, parameters.map((each) => row(each.name, each.schema, each.required, each.description))) : []),
    schema ? section(`Body, ${content[0]}`, propertyTable(schema)) : [],
    section("Answers", el("table", {}, answers)),
    live ? [] : section("Try it", tryForm(root, path, method.toUpperCase(), parameters, content)));
}

function tryForm(root, path, method, parameters, content) {
  const field = (name, input) => el("label", {}, el("span.name", {}, name), input);
  const inputs = parameters.map((each) => [each, el("input", { required: Boolean(each.required), placeholder: each.in })]);
  const multipart = content && content[0].startsWith("multipart/");
  const parts = multipart ? Object.entries(content[1].schema.properties).map(([name, each]) => [name, el("input", { type: each.contentMediaType ? "file" : "text", placeholder: "form" })]) : [];
  const body = content && !multipart ? el("textarea", { spellcheck: false, value: JSON.stringify(content[1].example ?? sample(root, content[1].schema), null, 2) }) : null;
  const button = el("button", {}, "Send");
  const output = el("div", {});
  const form = el("form", {}, inputs.map(([each, input]) => field(each.name, input)), parts.map(([name, input]) => field(name, input)), body ? field("body", body) : "", button);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      const [url, options] = request(path, method, inputs, parts, body);
      output.replaceChildren(...(await send(url, options)));
    } catch (error) {
      output.replaceChildren(el("p.bad", {}, String(error)));
    } finally {
      button.disabled = false;
    }
  });
  return [form, output];
}

function request(path, method, inputs, parts, body) {
  const headers = $("key").value ? { "X-Api-Key": $("key").value } : {};
  const query = new URLSearchParams();
  let url = path;
  for (const [{ name, in: place, schema }, { value }] of inputs) {
    if (place === "path") url = url.replace(`{${name}}`, encodeURIComponent(value));
    else if (!value) continue;
    else if (place === "header") headers[name] = value;
    else for (const each of schema.type === "array" ? value.split(",") : [value]) query.append(name, each.trim());
  }
  const options = { method, headers };
  if (parts.length) {
    options.body = new FormData();
    for (const [name, input] of parts) if (input.files?.[0] || input.value) options.body.append(name, input.files?.[0] ?? input.value);
  } else if (body) {
    options.body = body.value;
    headers["Content-Type"] = "application/json";
  }
  return [query.size ? `${url}?${query}` : url, options];
}

async function send(url, options) {
  const started = performance.now();
  const response = await fetch(url, { ...options, cache: "no-store" });
  const kind = response.headers.get("Content-Type") || "";
  const text = /json|text/.test(kind) ? await response.text() : `${(await response.blob()).size} bytes of ${kind || "nothing"}`;
  const position = response.headers.get("Headwater-Position");
  let shown = text;
  try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: as it is */ }
  return [
    el("div.answer", {}, el(response.ok ? "span.good" : "span.bad", {}, `${response.status} ${response.statusText}`),
      el("span", {}, `${Math.round(performance.now() - started)} ms`), position ? el("span", {}, position) : ""),
    el("pre", {}, shown),
  ];
}

function channelCard(root, name, channel) {
  const operation = Object.values(root.operations).find((each) => last(each.channel.$ref) === name);
  const messages = Object.values(channel.messages).map((each) => follow(root, each)).map((message) =>
    el("tr", {}, el("td.name", {}, message.name), el("td.type", {}, typeOf(message.payload)), el("td", {}, message.summary || "")));
  return card(`channel-${name}`, operation ? operation.action.toUpperCase() : "", channel.address, "", prose(channel.description), section("Messages", el("table", {}, messages)));
}

function schemaCard(name, schema) {
  return el("details.card", { id: `schema-${name}` }, el("summary", {}, el("span.path", {}, name)),
    el("div.inside", {}, prose(schema.description), schema.properties ? propertyTable(schema) : el("p.type", {}, typeOf(schema))));
}

function link(target, method, text) {
  return el("a", { href: `#${target}`, title: text }, method ? el(`span.method.${method}`, {}, method) : "", el("span", {}, text));
}

function group(title, entries) {
  if (!entries.length) return;
  $("main").append(el("h2", {}, title), ...entries.map(([made]) => made));
  $("contents").append(el("section", {}, el("h2", {}, title), entries.map(([, anchor]) => anchor)));
}

function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target) { target.open = true; target.scrollIntoView(); }
}

function filter() {
  const wanted = $("filter").value.toLowerCase();
  for (const anchor of document.querySelectorAll("nav a")) anchor.hidden = !anchor.textContent.toLowerCase().includes(wanted);
  for (const part of document.querySelectorAll("nav section")) part.hidden = !part.querySelector("a:not([hidden])");
}

async function main() {
  const [api, live] = await Promise.all(["/openapi.json", "/asyncapi.json"].map((url) => fetch(url).then((response) => response.json())));
  document.title = $("title").textContent = api.info.title;
  $("version").textContent = api.info.version;
  $("main").replaceChildren(el("p.lead", {}, api.info.description || ""), el("p", {}, el("a", { href: "/openapi.json" }, "openapi.json"), " · ", el("a", { href: "/asyncapi.json" }, "asyncapi.json")));
  const operations = Object.entries(api.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => [path, method, operation]));
  for (const { name } of api.tags)
    group(name, operations.filter(([, , operation]) => operation.tags.includes(name)).map(([path, method, operation]) =>
      [operationCard(api, path, method, operation), link(operation.operationId, method.toUpperCase(), path)]));
  group("Channels", Object.entries(live.channels).map(([name, channel]) => [channelCard(live, name, channel), link(`channel-${name}`, "", channel.address)]));
  const schemas = { ...live.components.schemas, ...api.components.schemas };
  group("Schemas", Object.entries(schemas).sort().map(([name, schema]) => [schemaCard(name, schema), link(`schema-${name}`, "", name)]));
  $("key").value = sessionStorage.getItem("key") || "";
  $("key").addEventListener("input", () => sessionStorage.setItem("key", $("key").value));
  $("filter").addEventListener("input", filter);
  addEventListener("hashchange", openTarget);
  openTarget();
}

main().catch((error) => $("main").replaceChildren(el("p.bad", {}, `The description cannot be read: ${error}`)));
