import type { Site } from "@consult/shared-ui/site.ts";

/** Everything this site says. Its colours are in `theme.css`, its pictures in `art/`. */
export const site: Site = {
  lang: "en-GB",
  name: "The Daily Grind",
  tagline: "Neighbourhood coffee, roasted on Mill Lane",
  description:
    "The Daily Grind is a small roastery and coffee bar on Mill Lane: espresso, pastries baked at dawn, " +
    "beans by the bag and a coffee cart for your party.",
  hero: {
    eyebrow: "Roastery & coffee bar, Mill Lane",
    title: "Good mornings, ground fresh.",
    text:
      "We roast on Tuesdays, bake before sunrise and remember how you take it. " +
      "Come in for a flat white, stay for the window seat.",
    action: { label: "See what we pour", href: "#services" },
    secondAction: { label: "Ask us anything", href: "#contact" },
  },
  services: {
    navLabel: "Menu",
    title: "Four things we do well",
    text: "A short menu, made properly. Oat milk never costs extra.",
    items: [
      {
        id: "espresso",
        name: "Espresso bar",
        text: "Flat whites, filter of the day and a proper cortado, pulled on a lever machine called Doris.",
        price: "from £2.60",
      },
      {
        id: "bakery",
        name: "Morning bakery",
        text: "Croissants, cardamom buns and sourdough toast. Out of the oven at seven, usually gone by noon.",
        price: "from £2.20",
      },
      {
        id: "beans",
        name: "Beans by the bag",
        text: "Three single origins and our house blend, roasted here and ground for whatever you brew with.",
        price: "from £9.50 for 250 g",
      },
      {
        id: "cart",
        name: "Coffee cart",
        text: "Weddings, launches, Tuesday stand-ups: two baristas and a cart that fits through your door.",
        price: "from £320 a morning",
      },
    ],
  },
  about: {
    navLabel: "About",
    title: "A mill lane, a roaster and a very old dog",
    paragraphs: [
      "Ines and Tom opened the doors in 2014 with a second-hand roaster and six stools. " +
        "The stools have multiplied; the roaster still hums in the back every Tuesday.",
      "We buy from five farms we have visited, pay above the fair-trade price and print what we paid on each bag. " +
        "Biscuit, the dog, handles customer relations.",
    ],
    facts: [
      { figure: "5", label: "farms we know by name" },
      { figure: "60 kg", label: "roasted every week" },
      { figure: "7 am", label: "first croissants out" },
    ],
  },
  visit: {
    navLabel: "Visit",
    title: "Come on in",
    text: "Opposite the old mill, two minutes from the Canal Street stop. Dogs and prams are welcome.",
    address: ["The Daily Grind", "12 Mill Lane", "Ashbourne Quay AQ1 4TD"],
    hours: [
      { days: "Monday to Friday", time: "7:00–17:00" },
      { days: "Saturday", time: "8:00–18:00" },
      { days: "Sunday", time: "9:00–15:00" },
    ],
  },
  voices: {
    title: "From the window seat",
    items: [
      { quote: "They started my cortado when they saw me lock my bike.", name: "Priya", note: "regular since 2016" },
      { quote: "The cardamom buns alone are worth missing a train for.", name: "Owen", note: "missed two so far" },
      { quote: "They served 140 wedding guests and nobody waited.", name: "Maya & Joe", note: "coffee cart, last June" },
    ],
  },
  contact: {
    navLabel: "Contact",
    title: "Say hello",
    text: "A table for eight, a cart for eighty or a question about beans: write to us and we answer the same day.",
    phone: "01632 960 142",
    email: "hello@dailygrind.example",
  },
  form: {
    edgeUrl: "http://127.0.0.1:8787",
    key: "frm_TheDailyGrindDemoForm1",
    honeypot: "hp_topic",
  },
};
