// How the JavaScript is written: the page's scripts, the stand-in for CouchDB, and this file. `make lint` obeys it.

import { createRequire } from "node:module";

// The packages are where `make` puts them, beside no source.
const load = createRequire(new URL("../../../.tools/javascript/", import.meta.url));
const js = load("@eslint/js");
const globals = load("globals");

const PAGE = "services/src/imagemill/api/static/js";

const correctness = {
  "array-callback-return": "error",
  "default-case-last": "error",
  "eqeqeq": "error",
  "no-caller": "error",
  "no-constructor-return": "error",
  "no-eval": "error",
  "no-extend-native": "error",
  "no-implicit-coercion": ["error", { allow: ["+"] }], // +text.toFixed(1)
  "no-implicit-globals": "error",
  "no-implied-eval": "error",
  "no-loop-func": "error",
  "no-new-func": "error",
  "no-new-wrappers": "error",
  "no-return-assign": "error",
  "no-script-url": "error",
  "no-self-compare": "error",
  "no-sequences": "error",
  "no-shadow": "error",
  "no-template-curly-in-string": "error",
  "no-throw-literal": "error",
  "no-unmodified-loop-condition": "error",
  "no-unreachable-loop": "error",
  "no-unused-expressions": "error",
  "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
  "prefer-promise-reject-errors": "error",
};
const style = {
  "complexity": ["error", 12],
  "curly": ["error", "multi-line", "consistent"],
  "dot-notation": "error",
  "max-depth": ["error", 3],
  "max-lines": ["error", 300],
  "max-lines-per-function": ["error", 50],
  "max-nested-callbacks": ["error", 3],
  "max-params": ["error", 6],
  "no-else-return": "error",
  "no-lonely-if": "error",
  "no-useless-computed-key": "error",
  "no-useless-concat": "error",
  "no-useless-rename": "error",
  "no-useless-return": "error",
  "no-var": "error",
  "object-shorthand": "error",
  "prefer-arrow-callback": "error",
  "prefer-const": "error",
  "prefer-object-spread": "error",
  "prefer-rest-params": "error",
  "prefer-spread": "error",
  "prefer-template": "error",
};

export default [
  js.configs.recommended,
  { linterOptions: { reportUnusedDisableDirectives: "error" }, rules: { ...correctness, ...style } },
  { files: [`${PAGE}/**/*.js`], languageOptions: { globals: globals.browser } },
  { files: [`${PAGE}/scripted.js`], languageOptions: { sourceType: "script" } },
  { files: [`${PAGE}/*worker.js`], languageOptions: { globals: globals.sharedWorker } },
  { files: ["services/dev/couchdb-stand-in/*.js"], languageOptions: { sourceType: "commonjs", globals: globals.node } },
  // What asks for rights shares what it remembers: one closure around small functions, each of which is measured.
  { files: ["services/dev/couchdb-stand-in/rights.js"], rules: { "max-lines-per-function": "off" } },
  { files: ["**/*.mjs"], languageOptions: { globals: globals.nodeBuiltin } },
];
