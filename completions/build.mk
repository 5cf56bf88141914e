# SPDX-License-Identifier: GPL-2.0-only
# Completions for bash, zsh and fish, from the table that each tool parses its options by.

.PHONY: completions
COMPLETIONS := $(BUILD)/completions
COMPLETION_SRC := completions/generate $(wildcard completions/common.*)
bashcompletiondir ?= $(datadir)/bash-completion/completions
zshcompletiondir ?= $(datadir)/zsh/site-functions
fishcompletiondir ?= $(datadir)/fish/vendor_completions.d

all: completions
completions: $(COMPLETIONS)/made

.SECONDEXPANSION:
$(COMPLETIONS)/made: $(COMPLETION_SRC) $$(TOOLS)
	@rm -rf $(@D)
	@mkdir -p $(@D)/bash $(@D)/zsh $(@D)/fish
	@set -e; for tool in $(TOOLS); do name=$${tool##*/}; \
		"$$tool" --print-options >$(@D)/$$name.options; \
		make() { completions/generate -v dir=completions/ -v shell=$$1 -v tool=$$name \
			$(@D)/$$name.options; }; \
		make bash >$(@D)/bash/$$name; make zsh >$(@D)/zsh/_$$name; \
		make fish >$(@D)/fish/$$name.fish; done
	@touch $@

INSTALLS += $(foreach tool,$(notdir $(TOOLS)), \
	644|$(COMPLETIONS)/bash/$(tool)|$(bashcompletiondir)/$(tool) \
	644|$(COMPLETIONS)/zsh/_$(tool)|$(zshcompletiondir)/_$(tool) \
	644|$(COMPLETIONS)/fish/$(tool).fish|$(fishcompletiondir)/$(tool).fish)
