// Puts the requests of a file to @cloud-copilot/iam-simulate: what it answers to each, as JSON, or what it refuses.
// Run in the folder that `make iam` makes, which holds the package.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { runSimulation } = createRequire(`${process.cwd()}/`)("@cloud-copilot/iam-simulate");
const version = "2012-10-17";
const answers = [];
for (const { principal, action, resource, account, context, identity, policy } of JSON.parse(readFileSync(0))) {
  const answer = await runSimulation(
    {
      request: { principal, action, resource: { resource, accountId: account }, contextVariables: context },
      identityPolicies: identity.length ? [{ name: "identity", policy: { Version: version, Statement: identity } }] : [],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      resourcePolicy: policy.length ? { Version: version, Statement: policy } : undefined,
    },
    {},
  );
  answers.push(answer.resultType === "error" ? answer.errors.message : answer.overallResult);
}
console.log(JSON.stringify(answers));
