import { defineSite } from "@consult/shared-ui/config";

export default defineSite();
