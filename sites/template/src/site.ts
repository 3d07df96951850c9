import type { Site } from "@consult/shared-ui/site.ts";

/** Everything this site says. Its colours are in `theme.css`, its pictures beside the pages. */
export const site: Site = {
  lang: "en",
  name: "Your site name",
  tagline: "What you do, in one line",
  description: "One or two sentences about the business, for search engines and link previews.",
  hero: {
    eyebrow: "Town or trade",
    title: "Your promise in a handful of words",
    text: "Two sentences about who you are, whom you work for and what they can count on.",
    action: { label: "Get in touch", href: "#contact" },
    secondAction: { label: "What we do", href: "#services" },
  },
  services: {
    navLabel: "Services",
    title: "What we do",
    text: "One sentence that leads into the services.",
    items: [
      { id: "first", name: "First service", text: "What it is and whom it helps.", price: "from £100" },
      { id: "second", name: "Second service", text: "What it is and whom it helps.", price: "from £100" },
      { id: "third", name: "Third service", text: "What it is and whom it helps.", price: "from £100" },
      { id: "fourth", name: "Fourth service", text: "What it is and whom it helps.", price: "from £100" },
    ],
  },
  about: {
    navLabel: "About",
    title: "Who we are",
    paragraphs: [
      "How it began, in a few sentences that only you can write.",
      "What you care about and how that shows in the work.",
    ],
  },
  visit: {
    navLabel: "Visit",
    title: "Find us",
    address: ["1 Example Street", "Example Town EX1 1EX"],
    hours: [
      { days: "Monday to Friday", time: "9:00–17:00" },
      { days: "Saturday and Sunday", time: "Closed" },
    ],
  },
  contact: {
    navLabel: "Contact",
    title: "Write to us",
    text: "Tell us what you need. We answer within one working day.",
    email: "hello@example.com",
  },
  form: {
    edgeUrl: "http://127.0.0.1:8787",
    key: "frm_ReplaceThisFormKey0000",
    honeypot: "hp_topic",
  },
};
