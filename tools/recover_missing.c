// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list of what nobody has. See recover.h.
 */
#include "recover.h"
#include "report.h"

void missing_add(void *ctx, u64 sector, u64 sectors, enum composite_why why)
{
	struct missing *missing = ctx;
	struct missing_range *last = missing->nr ? &missing->range[missing->nr - 1] : NULL;

	missing->sectors[why] += sectors;
	if (last && last->why == why && last->sector + last->sectors == sector) {
		last->sectors += sectors;
		return;
	}
	missing->range = report_grow(missing->range, missing->nr, &missing->room,
				     sizeof(*missing->range));
	missing->range[missing->nr++] = (struct missing_range){ sector, sectors, why };
}

u64 missing_total(const struct missing *missing)
{
	unsigned int why;
	u64 sectors = 0;

	for (why = 0; why < COMPOSITE_NR_WHYS; why++)
		sectors += missing->sectors[why];
	return sectors;
}

void missing_show(const struct missing *missing)
{
	static const char *const texts[COMPOSITE_NR_WHYS] = {
		[COMPOSITE_LOST] = "lost before, as the spare says",
		[COMPOSITE_PENDING] = "pending, and main cannot be read",
		[COMPOSITE_SLOT] = "in slots that cannot be read or are gone",
		[COMPOSITE_MAIN] = "of main's own that cannot be read",
		[COMPOSITE_CLAIMED] = "claimed by two slots",
	};
	size_t i, shown = report_is_verbose() ? missing->nr :
			  min(missing->nr, (size_t)RECOVER_RANGES_SHOWN);
	unsigned int why;

	report_out("nobody has  %llu sectors of main\n", (unsigned long long)missing_total(missing));
	for (why = 0; why < COMPOSITE_NR_WHYS; why++)
		if (missing->sectors[why])
			report_out("            %llu %s\n",
				   (unsigned long long)missing->sectors[why], texts[why]);
	for (i = 0; i < shown; i++)
		report_out("              %llu to %llu  %s\n",
			   (unsigned long long)missing->range[i].sector,
			   (unsigned long long)missing->range[i].sector +
			   missing->range[i].sectors - 1, composite_why_name(missing->range[i].why));
	if (shown < missing->nr)
		report_out("              and %zu more ranges (-v lists them)\n",
			   missing->nr - shown);
}

void missing_json(const struct missing *missing)
{
	struct json *json = report_json();
	size_t i;

	if (!json)
		return;
	json_key_number(json, "missing_sectors", missing_total(missing));
	json_key(json, "missing");
	json_array(json);
	for (i = 0; i < missing->nr; i++) {
		json_map(json);
		json_key_number(json, "sector", missing->range[i].sector);
		json_key_number(json, "sectors", missing->range[i].sectors);
		json_key_text(json, "why", composite_why_name(missing->range[i].why));
		json_map_end(json);
	}
	json_array_end(json);
}

void missing_free(struct missing *missing)
{
	free(missing->range);
	*missing = (struct missing){ .nr = 0 };
}
