// Copyright 2026 The servicenet Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"servicenet.dev/servicenet/controllers"
)

// The types below are pflag.Values that refuse a wrong value while the flags
// are parsed, so that pflag's message names the flag and the value beside what
// is allowed.

// intValue is a whole number in a range.
type intValue struct {
	target          *int
	lowest, highest int
}

func (v *intValue) String() string {
	if v.target == nil {
		return "" // pflag asks a zero value for its default
	}
	return strconv.Itoa(*v.target)
}
func (v *intValue) Type() string { return "int" }

func (v *intValue) Set(text string) error {
	number, err := strconv.Atoi(text)
	if err != nil || number < v.lowest || number > v.highest {
		return fmt.Errorf("allowed are whole numbers from %d to %d", v.lowest, v.highest)
	}
	*v.target = number
	return nil
}

// rateValue is a number of things a second, 0 for no limit.
type rateValue struct{ target *float32 }

func (v *rateValue) String() string {
	if v.target == nil {
		return ""
	}
	return strconv.FormatFloat(float64(*v.target), 'g', -1, 32)
}
func (v *rateValue) Type() string { return "float" }

func (v *rateValue) Set(text string) error {
	const highest = 1e6
	number, err := strconv.ParseFloat(text, 32)
	if err != nil || !(number >= 0 && number <= highest) {
		return fmt.Errorf("allowed are numbers from 0 to %d, 0 for no limit", int(highest))
	}
	*v.target = float32(number)
	return nil
}

// modeValue is an endpoints mode.
type modeValue struct{ target *controllers.EndpointsMode }

func (v *modeValue) String() string {
	if v.target == nil {
		return ""
	}
	return string(*v.target)
}
func (v *modeValue) Type() string { return "mode" }

func (v *modeValue) Set(text string) error {
	switch mode := controllers.EndpointsMode(text); mode {
	case controllers.EndpointsOn, controllers.EndpointsOff:
		*v.target = mode
		return nil
	default:
		return fmt.Errorf("allowed are %q and %q", controllers.EndpointsOn, controllers.EndpointsOff)
	}
}

// selectionValue is a list of controllers. The first use of the flag replaces
// the default, further uses add to it.
type selectionValue struct {
	target *[]string
	given  bool
}

func (v *selectionValue) String() string {
	if v.target == nil {
		return ""
	}
	return strings.Join(*v.target, ",")
}
func (v *selectionValue) Type() string { return "names" }

func (v *selectionValue) Set(text string) error {
	selection := strings.Split(text, ",")
	if err := controllers.ValidateControllers(selection); err != nil {
		return err
	}
	if v.given {
		selection = append(*v.target, selection...)
	}
	*v.target, v.given = selection, true
	return nil
}

// noneYetValue is a switch for something this build does not have.
type noneYetValue struct{}

func (noneYetValue) String() string { return "false" }
func (noneYetValue) Type() string   { return "bool" }

func (noneYetValue) Set(text string) error {
	on, err := strconv.ParseBool(text)
	if err != nil || on {
		return errors.New("this build has no webhooks: allowed is false")
	}
	return nil
}
