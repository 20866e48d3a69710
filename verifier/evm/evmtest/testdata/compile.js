// Compiles: solc's standard JSON on standard input, its answer on standard output.
// Exit code 3: there is no solc; the reason is on standard error.
const want = process.argv[2];
let solc;
try {
  solc = require("solc");
} catch (e) {
  console.error("npm's solc is not installed where NODE_PATH says");
  process.exit(3);
}
if (!solc.version().startsWith(want + "+")) {
  console.error("solc is " + solc.version() + ", these tests are for " + want);
  process.exit(3);
}
process.stdout.write(solc.compile(require("fs").readFileSync(0, "utf8")));
