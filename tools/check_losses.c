// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list of what is gone. Says no more than is known: of a page without a good copy, which
 * blocks were in it is not, and what a copy with a wrong checksum names is a hint.
 */
#include "check_losses.h"
#include "report.h"
#include "units.h"

#define SHOWN 20		/* without --verbose */

void losses_add(struct losses *losses, const struct rmeta_loss *loss)
{
	losses->list = report_grow(losses->list, losses->nr, &losses->room,
				   sizeof(*losses->list));
	losses->list[losses->nr++] = *loss;
}

void losses_free(struct losses *losses)
{
	free(losses->list);
	*losses = (struct losses){ .nr = 0 };
}

/* First and last sector of a block of main. */
static void get_sectors(const struct rmeta_superblock *sb, block_t block, u64 *first, u64 *last)
{
	*first = block << sb->block_shift;
	*last = min(*first + ((u64)1 << sb->block_shift), sb->main_sectors) - 1;
}

static void print_one(const struct rmeta_loss *loss, const struct rmeta_superblock *sb)
{
	u32 slots = loss->last_slot - loss->first_slot + 1;
	u64 first, last;

	if (loss->block == RMETA_NO_BLOCK) {
		report_out("  slot%s %u", units_s(slots), loss->first_slot);
		if (slots > 1)
			report_out(" to %u", loss->last_slot);
		report_out(": which block%s of main %s there is not known; up to %u may be stale on main\n",
			   units_s(slots), slots > 1 ? "were" : "was", slots);
		return;
	}
	get_sectors(sb, loss->block, &first, &last);
	report_out("  %sblock %llu of main (sectors %llu to %llu) may be stale: %s slot %u\n",
		   loss->certain ? "" : "  ", (unsigned long long)loss->block,
		   (unsigned long long)first, (unsigned long long)last,
		   loss->certain ? "it was, or may have been, in" :
		   "a copy with a wrong checksum has it in", loss->first_slot);
}

void losses_print(const struct losses *losses, const struct rmeta_superblock *sb)
{
	size_t i, shown = report_is_verbose() ? losses->nr : min(losses->nr, (size_t)SHOWN);

	report_out("  what is lost, and what it means for main:\n");
	for (i = 0; i < shown; i++) {
		report_out("  ");
		print_one(&losses->list[i], sb);
	}
	if (shown < losses->nr)
		report_out("    and %zu more (-v shows them all)\n", losses->nr - shown);
}

void losses_json(const struct losses *losses, const struct rmeta_superblock *sb,
		 struct json *json)
{
	u64 first, last;
	size_t i;

	json_key(json, "lost");
	json_array(json);
	for (i = 0; i < losses->nr; i++) {
		const struct rmeta_loss *loss = &losses->list[i];

		json_line(json);
		json_map(json);
		json_key_text(json, "code", rmeta_problem_types[loss->code].name);
		json_key_number(json, "first_slot", loss->first_slot);
		json_key_number(json, "last_slot", loss->last_slot);
		if (loss->block != RMETA_NO_BLOCK) {
			get_sectors(sb, loss->block, &first, &last);
			json_key_number(json, "block", loss->block);
			json_key_number(json, "main_sector", first);
			json_key_number(json, "sectors", last - first + 1);
		}
		json_key_bool(json, "certain", loss->certain);
		json_map_end(json);
	}
	json_array_end(json);
}
