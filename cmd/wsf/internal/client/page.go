package client

import (
	"bytes"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// A formOnPage is a form as a browser would post it.
type formOnPage struct {
	action string
	fields url.Values // what it holds, the hidden fields included
	names  []string   // of the fields that people fill in
}

// formsOf returns the forms of a page that are posted.
func formsOf(page []byte) (forms []formOnPage) {
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil { // only of a reader
		return nil
	}
	for node := range root.Descendants() {
		if node.DataAtom == atom.Form && strings.EqualFold(attribute(node, "method"), "post") {
			forms = append(forms, readForm(node))
		}
	}
	return forms
}

func readForm(form *html.Node) formOnPage {
	read := formOnPage{action: attribute(form, "action"), fields: make(url.Values)}
	for node := range form.Descendants() {
		name := attribute(node, "name")
		if name == "" {
			continue
		}
		switch node.DataAtom {
		case atom.Input:
			read.addInput(node, name)
		case atom.Textarea, atom.Select:
			read.names = append(read.names, name)
		}
	}
	return read
}

func (f *formOnPage) addInput(node *html.Node, name string) {
	switch kind := strings.ToLower(attribute(node, "type")); kind {
	case "hidden":
		f.fields.Add(name, attribute(node, "value"))
	case "submit", "button", "image", "reset", "file":
	case "checkbox", "radio":
		f.names = append(f.names, name)
		if hasAttribute(node, "checked") {
			value := attribute(node, "value")
			if !hasAttribute(node, "value") {
				value = "on"
			}
			f.fields.Add(name, value)
		}
	default:
		f.names = append(f.names, name)
		f.fields.Set(name, attribute(node, "value"))
	}
}

// has reports whether people can fill in all these fields.
func (f *formOnPage) has(filled url.Values) bool {
	for name := range filled {
		if !slices.Contains(f.names, name) && !f.fields.Has(name) {
			return false
		}
	}
	return true
}

// problemOn returns what a page says is wrong: its alert, else its title; "" if it has neither.
func problemOn(page []byte) string {
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		return ""
	}
	title := ""
	for node := range root.Descendants() {
		classes := strings.Fields(attribute(node, "class"))
		switch {
		case attribute(node, "role") == "alert", slices.Contains(classes, "error"), slices.Contains(classes, "problem"):
			if text := textOf(node); text != "" {
				return text
			}
		case node.DataAtom == atom.Title && title == "":
			title = textOf(node)
		}
	}
	return title
}

// textOf returns the text below a node with single spaces.
func textOf(node *html.Node) string {
	var all strings.Builder
	for below := range node.Descendants() {
		if below.Type == html.TextNode {
			all.WriteString(below.Data)
		}
	}
	return strings.Join(strings.Fields(all.String()), " ")
}

func attribute(node *html.Node, key string) string {
	for _, a := range node.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func hasAttribute(node *html.Node, key string) bool {
	return slices.ContainsFunc(node.Attr, func(a html.Attribute) bool { return a.Key == key })
}

// bodyText returns what a body says, in one line that is safe to print.
func bodyText(contentType string, body []byte) string {
	text := ""
	switch kind, _, _ := strings.Cut(contentType, ";"); strings.TrimSpace(kind) {
	case "text/html", "application/xhtml+xml":
		text = problemOn(body)
	case "", "text/plain", "application/json", "application/problem+json":
		text = strings.Join(strings.Fields(string(body)), " ")
	}
	text = printable(text)
	if runes := []rune(text); len(runes) > 200 {
		text = string(runes[:200]) + "…"
	}
	return text
}
