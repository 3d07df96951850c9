/// <reference types="astro/client" />

interface ImportMetaEnv {
  /** Public origin of the edge; wins over `form.edgeUrl` of `src/site.ts`. */
  readonly PUBLIC_CONSULT_EDGE_URL?: string;
  /** Public key of the form; wins over `form.key` of `src/site.ts`. */
  readonly PUBLIC_CONSULT_FORM_KEY?: string;
}
