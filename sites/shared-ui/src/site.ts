/** What one client site says about itself: its content, without markup. */
export interface Site {
  /** BCP 47 language of the pages, e.g. `en` or `en-GB`. */
  readonly lang: string;
  readonly name: string;
  /** One line under the name: in the page title and in the footer. */
  readonly tagline: string;
  /** One or two sentences for search engines and link previews. */
  readonly description: string;
  /** Public address of the site, e.g. `https://example.com`; leave out while it is not known. */
  readonly url?: string;
  readonly hero: Hero;
  readonly services: Services;
  readonly about: About;
  readonly visit: Visit;
  readonly voices?: Voices;
  readonly contact: Contact;
  readonly form: FormSettings;
  /** Texts of the interface that this site says differently; the others follow `lang` (`languages.ts`). */
  readonly words?: Partial<import("./words.ts").Words>;
}

export interface Hero {
  /** A few words above the title. */
  readonly eyebrow?: string;
  readonly title: string;
  readonly text: string;
  readonly action: Link;
  readonly secondAction?: Link;
}

export interface Link {
  readonly label: string;
  readonly href: string;
}

export interface Services {
  readonly navLabel: string;
  readonly title: string;
  readonly text?: string;
  readonly items: readonly Service[];
}

export interface Service {
  /** Chooses the picture that the page hands to `<Services pictures>`. */
  readonly id: string;
  readonly name: string;
  readonly text: string;
  /** As shown, e.g. `from £3.20`. */
  readonly price?: string;
}

export interface About {
  readonly navLabel: string;
  readonly title: string;
  readonly paragraphs: readonly string[];
  readonly facts?: readonly Fact[];
}

export interface Fact {
  readonly figure: string;
  readonly label: string;
}

export interface Visit {
  readonly navLabel: string;
  readonly title: string;
  readonly text?: string;
  /** One line of the postal address each. */
  readonly address: readonly string[];
  readonly hours: readonly OpeningHours[];
}

export interface OpeningHours {
  /** As shown, e.g. `Monday to Friday`. */
  readonly days: string;
  /** As shown, e.g. `7:00–17:00` or `Closed`. */
  readonly time: string;
}

export interface Voices {
  readonly title: string;
  readonly items: readonly Voice[];
}

export interface Voice {
  readonly quote: string;
  readonly name: string;
  readonly note?: string;
}

export interface Contact {
  readonly navLabel: string;
  readonly title: string;
  readonly text: string;
  readonly phone?: string;
  readonly email?: string;
}

export interface FormSettings {
  /** Public origin of the edge, e.g. `https://edge.example.com`. */
  readonly edgeUrl: string;
  /** The form's public key: `frm_` and 22 letters or digits. */
  readonly key: string;
  /** Name of the form's trap field, as its page in the office shows it. */
  readonly honeypot: string;
  /** The version of the form that `fields` are of, as the office shows it: submissions are then judged by it. */
  readonly version?: number;
  /** Whether the form asks for a proof of work (ALTCHA): the browser does it while the visitor types. */
  readonly proofOfWork?: boolean;
  /** The form's fields as defined in the office; left out: `standardFields`. */
  readonly fields?: readonly Field[];
}

export interface Field {
  readonly name: string;
  readonly label: string;
  readonly type: "text" | "email" | "tel" | "textarea" | "select" | "checkbox" | "file";
  readonly required: boolean;
  /** The choices of a `select`, or of a group of checkboxes. */
  readonly options?: readonly string[];
  readonly hint?: string;
  /** The HTML autofill token, e.g. `name`, `email`, `tel`, `organization`. */
  readonly autocomplete?: "name" | "email" | "tel" | "organization" | "off";
}

/** The fields of a new form in the office. */
export const standardFields: readonly Field[] = [
  { name: "name", label: "Your name", type: "text", required: true, autocomplete: "name" },
  { name: "email", label: "E-mail", type: "email", required: true, autocomplete: "email" },
  { name: "phone", label: "Phone", type: "tel", required: false, autocomplete: "tel" },
  { name: "message", label: "Your message", type: "textarea", required: true },
];
