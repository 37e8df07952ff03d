/** The dashboard: what an operator sees of a running gateway. A page of its own, which knows of the server only what the admin API says. */
import "./style/base.css"
import "./style/tables.css"
import "./style/pages.css"
import { render } from "preact"
import { App } from "./shell/App.tsx"

const page = document.getElementById("page")
if (page !== null) render(<App />, page)
