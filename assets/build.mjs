// Builds everything the browser loads into consult/core/static/consult/. The result is committed, so that
// running Consult needs no Node. `--check` builds into a temporary folder and compares instead of writing.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const committed = resolve(here, "../consult/core/static/consult");
const checking = process.argv.includes("--check");
const out = checking ? mkdtempSync(join(tmpdir(), "consult-assets-")) : committed;
const require = createRequire(import.meta.url);

const scripts = ["theme.js", "app.js", "form-editor.js", "passkeys.js"];
const vendored = {
  "htmx.min.js": "htmx.org/dist/htmx.min.js",
  "alpine-csp.min.js": "@alpinejs/csp/dist/cdn.min.js",
};
const notices = "licences.txt";

function build() {
  mkdirSync(out, { recursive: true });
  const tailwind = join(dirname(require.resolve("@tailwindcss/cli/package.json")), "dist/index.mjs");
  execFileSync(process.execPath, [tailwind, "-i", "app.css", "-o", join(out, "app.css"), "--minify"], {
    cwd: here,
    stdio: ["ignore", "ignore", "inherit"],
  });
  buildSync({
    absWorkingDir: here,
    entryPoints: scripts.map((name) => `js/${name}`),
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2022",
    charset: "utf8",
    outdir: out,
    logLevel: "warning",
  });
  copyFileSync(join(here, notices), join(out, notices));
  for (const [name, source] of Object.entries(vendored)) {
    copyFileSync(join(here, "node_modules", source), join(out, name));
  }
}

function differences() {
  const names = ["app.css", notices, ...scripts, ...Object.keys(vendored)];
  return names.filter((name) => {
    try {
      return !readFileSync(join(out, name)).equals(readFileSync(join(committed, name)));
    } catch {
      return true;
    }
  });
}

build();
if (checking) {
  const stale = differences();
  rmSync(out, { recursive: true });
  if (stale.length > 0) {
    console.error(`Built files are out of date: ${stale.join(", ")}. Run "npm run build" in assets/.`);
    process.exit(1);
  }
  console.log("Built files are up to date.");
}
