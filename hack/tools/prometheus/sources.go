// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"
)

// expression is one of PromQL, and where it is.
type expression struct {
	where, text string
	// uses are labels of the result that a text beside it shows.
	uses []string
}

// prometheusRule is what matters here of that kind.
type prometheusRule struct {
	Spec struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Record, Expr string
				Annotations         map[string]string
			}
		}
	}
}

// dashboard is what matters here of one of Grafana.
type dashboard struct {
	Panels     []panel
	Templating struct {
		List []struct{ Name, Type, Definition string }
	}
}

// panel is a part of a dashboard. Rows that are folded have panels of their own.
type panel struct {
	Title   string
	Panels  []panel
	Targets []struct{ Expr, LegendFormat string }
}

// readExpressions returns those of a file.
func readExpressions(path string) ([]expression, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(path, ".json") {
		var board dashboard
		if err := json.Unmarshal(content, &board); err != nil {
			return nil, err
		}
		return append(board.variables(), inPanels(board.Panels)...), nil
	}
	var rule prometheusRule
	if err := yaml.Unmarshal(content, &rule); err != nil {
		return nil, err
	}
	return rule.expressions(), nil
}

// labelInAnnotation is a label as templates of rules have it.
var labelInAnnotation = regexp.MustCompile(`\$labels\.(\w+)`)

func (r *prometheusRule) expressions() []expression {
	var all []expression
	for _, group := range r.Spec.Groups {
		for _, rule := range group.Rules {
			e := expression{where: group.Name + ": " + rule.Alert + rule.Record, text: rule.Expr}
			for _, text := range rule.Annotations {
				for _, match := range labelInAnnotation.FindAllStringSubmatch(text, -1) {
					e.uses = append(e.uses, match[1])
				}
			}
			all = append(all, e)
		}
	}
	return all
}

// labelInLegend is a label as legends of panels have it.
var labelInLegend = regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}`)

func inPanels(panels []panel) []expression {
	var all []expression
	for _, p := range panels {
		for _, target := range p.Targets {
			e := expression{where: "panel " + p.Title, text: withoutVariables(target.Expr)}
			for _, match := range labelInLegend.FindAllStringSubmatch(target.LegendFormat, -1) {
				e.uses = append(e.uses, match[1])
			}
			all = append(all, e)
		}
		all = append(all, inPanels(p.Panels)...)
	}
	return all
}

// valuesOf is the query of a variable: the values that a label has.
var valuesOf = regexp.MustCompile(`^label_values\((.+), *(\w+)\)$`)

func (d *dashboard) variables() []expression {
	var all []expression
	for _, variable := range d.Templating.List {
		if variable.Type != "query" {
			continue
		}
		e := expression{where: "variable " + variable.Name, text: variable.Definition}
		if match := valuesOf.FindStringSubmatch(variable.Definition); match != nil {
			e.text, e.uses = withoutVariables(match[1]), []string{match[2]}
		}
		all = append(all, e)
	}
	return all
}

// withoutVariables puts durations where Grafana does; other variables are in values of
// labels, where they are text like any other.
func withoutVariables(text string) string {
	return strings.NewReplacer("$__rate_interval", "5m", "$__range", "1h", "$__interval", "1m").Replace(text)
}

// groupsOf returns the groups of a PrometheusRule as a file of rules.
func groupsOf(content []byte) ([]byte, error) {
	var rule struct {
		Kind string
		Spec struct {
			Groups []any `json:"groups"`
		}
	}
	if err := yaml.Unmarshal(content, &rule); err != nil {
		return nil, err
	}
	if rule.Kind != "PrometheusRule" || len(rule.Spec.Groups) == 0 {
		return nil, fmt.Errorf("it is no PrometheusRule with groups, but a %q", rule.Kind)
	}
	return yaml.Marshal(rule.Spec)
}
