import tailwindcss from "@tailwindcss/vite";
import { defineConfig } from "astro/config";

// Static pages without inline script or style, so that the pages' Content-Security-Policy needs no exception.
export function defineSite(overrides = {}) {
  return defineConfig({
    output: "static",
    build: { inlineStylesheets: "never" },
    devToolbar: { enabled: false },
    vite: {
      plugins: [tailwindcss()],
      // 0: a small script stays a file of its own instead of becoming an inline one.
      build: { assetsInlineLimit: 0 },
    },
    ...overrides,
  });
}
