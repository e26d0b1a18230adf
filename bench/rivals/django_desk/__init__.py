"""Django's admin over the same tables, as a competent user sets it up in the first hour: ``list_select_related``,
``autocomplete_fields`` for the large relations, ``show_full_result_count`` off, tickets of a company as a table inside.
"""
