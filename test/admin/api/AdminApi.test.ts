import { readFileSync } from "node:fs"
import * as OpenApi from "@effect/platform/OpenApi"
import { describe, expect, it } from "vitest"
import { AdminApi } from "../../../src/admin/api/AdminApi.ts"
import { openApiText } from "../../../src/admin/api/OpenApiDocument.ts"
import { rowFields } from "../../../src/admin/api/RequestRow.ts"
import { briefColumns } from "../../../src/audit/read/FoundRow.ts"

describe("the admin API", () => {
  it("tells of a request every column of the audit but headers and bodies, in its order", () => {
    expect(Object.keys(rowFields)).toEqual(briefColumns)
  })

  it("is written down in docs/admin-api.json as it is (npm run generate)", () => {
    expect(readFileSync("docs/admin-api.json", "utf8")).toBe(openApiText())
  })

  it("describes each of its questions", () => {
    const { paths } = OpenApi.fromApi(AdminApi)
    const undescribed = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, { description }]) =>
        description === undefined ? [`${method} ${path}`] : [],
      ),
    )
    expect(undescribed).toEqual([])
  })
})
