/** Every text of the interface that is not a site's own content. `{name}`-like parts are filled in. */
export interface Words {
  readonly skipToContent: string;
  readonly mainNavigation: string;
  readonly openingHours: string;
  readonly address: string;
  readonly phone: string;
  readonly email: string;
  readonly optional: string;
  readonly choose: string;
  readonly send: string;
  readonly leaveEmpty: string;
  readonly sending: string;
  readonly sendingAgain: string;
  readonly sentTitle: string;
  readonly sentText: string;
  readonly receipt: string;
  readonly receiptHint: string;
  readonly sendAnother: string;
  readonly fieldRequired: string;
  readonly fieldEmail: string;
  readonly fieldInvalid: string;
  readonly fixOne: string;
  readonly fixMany: string;
  readonly failedTitle: string;
  readonly failedText: string;
  readonly failedFallback: string;
  readonly offlineTitle: string;
  readonly offlineText: string;
  readonly onlineAgain: string;
  readonly noAnswerTitle: string;
  readonly noAnswerText: string;
  readonly retry: string;
  readonly sendPlain: string;
  readonly thanksTitle: string;
  readonly thanksText: string;
  readonly backHome: string;
  readonly notFoundTitle: string;
  readonly notFoundText: string;
}

export const english: Words = {
  skipToContent: "Skip to content",
  mainNavigation: "Main",
  openingHours: "Opening hours",
  address: "Address",
  phone: "Phone",
  email: "E-mail",
  optional: "optional",
  choose: "Please choose",
  send: "Send message",
  leaveEmpty: "Leave this field empty",
  sending: "Sending…",
  sendingAgain: "That did not work yet, we are trying again…",
  sentTitle: "Thank you, we have your message",
  sentText: "It is stored, and we will answer as soon as we can.",
  receipt: "Your receipt",
  receiptHint: "Quote it if you write or call about this message.",
  sendAnother: "Send another message",
  fieldRequired: "Please fill in: {label}",
  fieldEmail: "Please give an address like name@example.com",
  fieldInvalid: "Please check: {label}",
  fixOne: "One answer needs your attention",
  fixMany: "{count} answers need your attention",
  failedTitle: "Your message was not sent",
  failedText: "Something went wrong on our side. Your text is still here; please try again.",
  failedFallback: "If it cannot wait, you can also reach us here: {contact}",
  offlineTitle: "You are offline",
  offlineText: "Your text is still here. Send it as soon as you are connected again.",
  onlineAgain: "You are connected again. Your message can be sent now.",
  noAnswerTitle: "No answer came",
  noAnswerText: "Your text is still here. Please try again in a moment.",
  retry: "Try again",
  sendPlain: "Send as a plain form",
  thanksTitle: "Thank you, we have your message",
  thanksText: "It is stored, and we will answer as soon as we can.",
  backHome: "Back to the start page",
  notFoundTitle: "This page does not exist",
  notFoundText: "It may have moved. The start page has everything.",
};

/** Fills `{name}` parts: `fill("Hello {who}", { who: "you" })`. */
export function fill(text: string, parts: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => parts[name] ?? whole);
}
