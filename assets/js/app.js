// What every page of the office runs. Each module looks for its own marks in the page and is idle without them.
import "./guard.js";
import "./menus.js";
import "./copy.js";
import "./keep.js";
import "./age.js";
import "./looking.js";
import "./mention.js";
import "./palette.js";
import "./board.js";
import "./list.js";
import "./keys.js";
import "./live.js";
import "./upload.js";
