"""Words that name an ethnic group, a nation or a region, case-folded."""

_WORDS = """
aboriginal afghan african albanian algerian american arab arabic argentinian armenian asian
australian austrian bangladeshi basque belgian black bolivian bosnian brazilian british
bulgarian cambodian canadian caribbean catalan caucasian chilean chinese colombian creole
croatian cuban cypriot czech danish dominican dutch ecuadorian egyptian english eritrean
estonian ethiopian european filipino finnish french georgian german ghanaian greek guatemalan
haitian hawaiian hispanic hmong honduran hungarian icelandic indian indigenous indonesian inuit
iranian iraqi irish israeli italian jamaican japanese jewish jordanian kenyan korean kurdish
laotian latina latine latino latinx latvian lebanese libyan lithuanian malaysian maltese maori
mexican mixed mongolian moroccan multiracial biracial native nepali nigerian nordic norwegian
pacific pakistani palestinian persian peruvian polish portuguese roma romanian russian samoan
saudi scandinavian scottish senegalese serbian slavic slovak slovenian somali spanish sudanese
swedish swiss syrian taiwanese thai tibetan tunisian turkish ukrainian vietnamese welsh white
yemeni zimbabwean
"""

DEMOGRAPHIC_TERMS = frozenset(_WORDS.split())
