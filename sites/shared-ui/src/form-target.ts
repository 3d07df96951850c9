import type { FormSettings } from "./site.ts";

export interface FormTarget {
  /** Where the form is posted to. */
  readonly post: string;
  /** Origin of the edge, for the page's Content-Security-Policy. */
  readonly origin: string;
  /** Which version of the form the page shows, if that is known. */
  readonly version: string | undefined;
}

const KEY = /^frm_[A-Za-z0-9]{22}$/;

/**
 * Where a site's form goes: `src/site.ts`, or the environment of the build where it says otherwise.
 * A wrong address or key stops the build, because the visitor would be the first to notice.
 */
export function formTarget(form: FormSettings): FormTarget {
  const edge = import.meta.env.PUBLIC_CONSULT_EDGE_URL || form.edgeUrl;
  const key = import.meta.env.PUBLIC_CONSULT_FORM_KEY || form.key;
  if (!KEY.test(key)) {
    throw new Error(`The form key "${key}" is not "frm_" followed by 22 letters or digits.`);
  }
  if (!URL.canParse(edge) || !/^https?:$/.test(new URL(edge).protocol)) {
    throw new Error(`The edge's address "${edge}" is not an http(s) address.`);
  }
  const { origin } = new URL(edge);
  // The version in `src/site.ts` is of the form that is named there.
  const version = key === form.key ? form.version?.toString() : undefined;
  return { post: `${origin}/f/${key}`, origin, version };
}
