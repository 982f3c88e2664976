"""Function words by language (ISO 639-1): articles, pronouns, prepositions, conjunctions, auxiliary verbs."""

STOPWORDS = {
    "en": """
        a about after again all also am an and any are as at be because been before being both but by can could did
        didn't do does doesn't doing don't each few for from had has have having he he's her here hers him his how
        i i'd i'll i'm i've if in into is isn't it it's its itself me more most my no nor not of off on once only or
        other our ours out over own same she should so some such than that that's the their theirs them then there
        these they they're this those through to too under until up very was wasn't we were what when where which
        while who whom why will with would you you'll you're you've your yours""",
    "de": """
        ab aber alle allem allen aller alles als also am an andere anderen auch auf aus bei beim bin bis bist da damit
        dann das dass daß dein deine deinem deinen deiner dem den denn der des dessen dich die dies diese diesem
        diesen dieser dieses dir doch dort du durch ein eine einem einen einer eines er es etwas euch euer eure für
        gegen hab habe haben hat hatte hatten hier hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in ins ist
        ja jede jedem jeden jeder jedes kann kein keine keinem keinen keiner können man mein meine meinem meinen
        meiner mich mir mit muss nach nicht nichts noch nun nur ob oder ohne sehr sein seine seinem seinen seiner
        selbst sich sie sind so solche solchen soll sondern sonst über um und uns unser unsere unter viel vom von vor
        war waren was weil welche welcher wenn werden wie wieder will wir wird wo wurde zu zum zur zwischen""",
    "fr": """
        à ai alors as au aucun aucune aussi autre autres aux avaient avait avant avec avez avoir avons c' car ce ceci
        cela celle celles celui ces cet cette ceux chaque chez comme d' dans de depuis des du elle elles en encore
        entre es est et étaient était été êtes être eu fait il ils j' je l' la le les leur leurs lui m' ma mais me
        même mes moi mon n' ne ni nos notre nous on ont ou où par pas pendant peu plus pour qu' quand que quel quelle
        quelles quels qui s' sa sans se sera ses si son sont sous sur t' ta te tes toi ton tous tout toute toutes très
        tu un une vos votre vous y""",
    "es": """
        a al algo algún alguna algunas algunos ante antes aquel aquella aquellas aquellos aquí así aún aunque cada como
        con contra cual cuando de del desde donde dos durante e el él ella ellas ellos en entre era eran eres es esa
        esas ese eso esos esta está están estar estas este esto estos fue fueron ha haber había han has hasta hay he
        la las le les lo los más me mi mí mis mucho muy nada ni no nos nosotros nuestra nuestras nuestro nuestros o os
        otra otras otro otros para pero poco por porque que qué quien se sea ser si sí sido sin sobre son soy su sus
        suya suyo también tan tanto te ti tiene tienen todo todos tu tú tus u un una unas uno unos usted ustedes y ya
        yo""",
    "it": """
        a abbiamo ad agli ai al alla alle allo altra altre altri altro anche ancora avere aveva c' che chi ci col come
        con contro cui d' da dagli dai dal dalla dalle dallo degli dei del dell' della delle dello di dove e è ed era
        erano essere fra gli ha hai hanno ho i il in io l' la le lei li lo loro lui ma me mi mia mie miei mio molto ne
        negli nei nel nell' nella nelle nello noi non nostra nostre nostri nostro o ogni per perché più poi qual quale
        quali quando quanto quella quelle quelli quello questa queste questi questo qui se sei senza si sia siamo
        siete solo sono sopra sotto sta stata stati stato su sua sue sugli sui sul sulla sulle sullo suo suoi ti tra
        tu tua tue tuo tuoi tutta tutte tutti tutto un un' una uno vi voi vostra vostro""",
    "pt": """
        a à ao aos aquela aquelas aquele aqueles aquilo as às até cada com como da das de dela delas dele deles depois
        do dos durante e é ela elas ele eles em entre era eram essa essas esse esses esta está estão estas estava este
        estes eu foi foram há isso isto já lhe lhes mais mas me mesmo meu meus minha minhas muito muitos na não nas
        nem no nos nós nossa nossas nosso nossos num numa o os ou para pela pelas pelo pelos por porque qual quando
        que quem são se seja sem ser seu seus só sob sobre sou sua suas também te tem têm tenho ter teu teus toda
        todas todo todos tu tua tuas um uma umas uns você vocês vos""",
    "nl": """
        aan al alle alles als altijd andere bij daar dan dat de deze die dit doch doen door dus een eens en er ge geen
        had hadden heb hebben heeft hem het hier hij hoe hun iemand iets ik in is ja je jij jou jouw jullie kan kon
        kunnen maar me meer men met mij mijn moet na naar niet niets nog nu of om omdat onder ons onze ook op over te
        tegen toch toen tot u uit uw van veel voor waar waren was wat we wel werd wie wij wil worden wordt zal ze zei
        zich zij zijn zo zonder zou""",
    "hu": """
        a abban ahhoz ahol aki akik akkor alá alatt által általában amely amelyek ami amikor át az azért azok azon azt
        aztán azzal bár be belül benne csak de e ebben egy egyes egyik ehhez ekkor el elég én ennek erre és ez ezek
        ezen ezért ezt ezzel fel felé ha hanem hogy hol ide így ill illetve ilyen is itt kell ki kívül között le lehet
        lesz lett ma maga már más meg még mellett mely melyek mert mi miért mint minden mindig mit mivel most nagyon
        ne nekem neki nélkül nem nincs ő ők oda olyan ön össze ott pedig rá s saját se sem semmi sok számára szerint
        szét te tehát ti több ugyan úgy után vagy vagyok való valaki valami van vannak vele volna volt voltak""",
}
