package reference

import (
	"html/template"
	"regexp"
	"strings"
)

// prose makes a page's HTML of a description: paragraphs, lists, tables, code and strong words are all that descriptions use
// of CommonMark. Whatever else is in it is shown as it is.
func prose(text string) template.HTML {
	var b strings.Builder
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		lines := strings.Split(strings.TrimSpace(block), "\n")
		switch {
		case lines[0] == "":
		case strings.HasPrefix(lines[0], "* "):
			b.WriteString("<ul>")
			for _, item := range bullets(lines) {
				b.WriteString("<li>" + inline(item) + "</li>")
			}
			b.WriteString("</ul>")
		case strings.HasPrefix(lines[0], "|"):
			table(&b, lines)
		default:
			b.WriteString("<p>" + inline(strings.Join(lines, " ")) + "</p>")
		}
	}
	return template.HTML(b.String()) // made of escaped text alone
}

// phrase is prose of one paragraph, without its element.
func phrase(text string) template.HTML {
	return template.HTML(inline(strings.Join(strings.Fields(text), " "))) // made of escaped text alone
}

// bullets joins the lines that go on what the line before began.
func bullets(lines []string) (items []string) {
	for _, line := range lines {
		if item, begins := strings.CutPrefix(line, "* "); begins {
			items = append(items, item)
		} else {
			items[len(items)-1] += " " + strings.TrimSpace(line)
		}
	}
	return items
}

// table writes a table whose second line is a rule.
func table(b *strings.Builder, lines []string) {
	b.WriteString(`<div class="wide" tabindex="0"><table>`)
	for i, line := range lines {
		cell := "td"
		switch i {
		case 0:
			cell = "th"
		case 1:
			continue
		}
		b.WriteString("<tr>")
		for text := range strings.SplitSeq(strings.Trim(strings.TrimSpace(line), "|"), "|") {
			b.WriteString("<" + cell + ">" + inline(strings.TrimSpace(text)) + "</" + cell + ">")
		}
		b.WriteString("</tr>")
	}
	b.WriteString("</table></div>")
}

var (
	code   = regexp.MustCompile("`([^`]+)`")
	strong = regexp.MustCompile(`\*\*([^*]+)\*\*`)
)

// inline escapes text first, so that nothing in it is markup but what is put there now.
func inline(text string) string {
	text = template.HTMLEscapeString(text)
	text = code.ReplaceAllString(text, "<code>$1</code>")
	return strong.ReplaceAllString(text, "<strong>$1</strong>")
}
