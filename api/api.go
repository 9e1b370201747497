// Package api holds the descriptions of the platform's interfaces, which were written before them.
package api

import _ "embed"

// OpenAPI describes the REST interface (OpenAPI 3.1).
//
//go:embed openapi.yaml
var OpenAPI string

// AsyncAPI describes events and notifications (AsyncAPI 3.0).
//
//go:embed asyncapi.yaml
var AsyncAPI string
