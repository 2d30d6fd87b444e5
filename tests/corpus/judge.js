// node judge.js SCHEMA <CASES: ajv's verdict on each case, a line of CASES in base64: good, bad, or json where the
// text is no JSON. Its own exit status is 0 whatever they are.
"use strict";
const fs = require("fs");
const Ajv = require("ajv"); // Debian's node-ajv

const schema = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const ajv = new Ajv({ strictKeywords: true, strictDefaults: true });
if (!ajv.validateSchema(schema)) throw new Error(ajv.errorsText());
const valid = ajv.compile(schema);

// Editors read patterns with JavaScript's flag u, which refuses needless backslashes.
(function patterns(value, key) {
    if (key === "pattern" && typeof value === "string") new RegExp(value, "u");
    if (key === "patternProperties") Object.keys(value).forEach((pattern) => new RegExp(pattern, "u"));
    if (value !== null && typeof value === "object") Object.keys(value).forEach((below) => patterns(value[below], below));
})(schema, "");

function judge(bytes) {
    let value;
    try {
        value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    } catch (error) {
        return "json";
    }
    return valid(value) ? "good" : "bad";
}

const cases = fs.readFileSync(0, "latin1").split("\n").slice(0, -1);
process.stdout.write(cases.map((line) => judge(Buffer.from(line, "base64")) + "\n").join(""));
