// Parses expressions of M, a JSON list on standard input, by Microsoft's parser; writes each one's error, or null.
const parser = require("@microsoft/powerquery-parser");

(async () => {
  const found = [];
  for (const text of JSON.parse(require("node:fs").readFileSync(0, "utf-8"))) {
    const task = await parser.TaskUtils.tryLexParse(parser.DefaultSettings, text);
    found.push(parser.TaskUtils.isParseStageOk(task) ? null : String(task.error.message));
  }
  process.stdout.write(JSON.stringify(found));
})();
