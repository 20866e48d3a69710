// Compiles Caller.mo against ../zkinfer.did, so that example and interface stay together.
const fs = require("fs");
const path = require("path");
const loaded = require("motoko");
const mo = loaded.default ?? loaded;

// Any principal does: the compiler looks for its interface under this name.
const id = "aaaaa-aa";
mo.write(`${id}.did`, fs.readFileSync(path.join(__dirname, "..", "zkinfer.did"), "utf8"));
mo.setAliases(".", { zkinfer: id });
mo.write("Caller.mo", fs.readFileSync(path.join(__dirname, "Caller.mo"), "utf8"));

const problems = mo.check("Caller.mo");
for (const p of problems) console.error(`${p.source}:${p.range.start.line + 1}: ${p.message}`);
if (problems.length > 0) process.exit(1);
// Not validated here: the compiler's 64-bit memory is more than older versions of Node know.
const { wasm } = mo.wasm("Caller.mo", "ic");
console.log(`Caller.mo: ${wasm.length} bytes`);
