import type { AstroUserConfig } from "astro";

/** The configuration that every client site shares; `overrides` is what one site does differently. */
export declare function defineSite(overrides?: AstroUserConfig): AstroUserConfig;
