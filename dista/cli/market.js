/** `pinledger market`: what is offered on a broker. */
import { Option } from 'commander';
import { OFFER_KINDS } from '../schemas/offer.js';
import { EXIT } from './exit.js';
import { SORTS } from './listings.js';
import { checkNetwork } from './networks.js';
import { brokerOption, coins, example, jsonOption, quiet } from './options.js';
/** Adds market. */
export function addMarketCommands(program) {
    program
        .command('market')
        .description('what is for sale on a broker: readings, topics, outputs and files, with price and score')
        .argument('[words...]', 'each has to be in an offer: seller, item, kind, unit, place or terms')
        .option('--unit <unit>', 'such as Cel or %')
        .addOption(new Option('--kind <kind>', 'what is sold').choices(OFFER_KINDS))
        .option('--of <seller>', 'its account, the first 8 or more digits of it, or its name')
        .option('--max-price <coins>', 'for a reading, a minute or the file', coins)
        .addOption(new Option('--sort <column>', 'what comes first').choices(SORTS).default('name'))
        .option('--network <hash>', 'genesis hash, or its first 8 digits, of the only network that counts')
        .option('-v, --verbose', 'say of each offer that was left out why', false)
        .addOption(brokerOption())
        .addOption(jsonOption())
        .addHelpText('after', `\nA score is advice of validators, 0 to 100, with the number of neighbours that it rests on; it is no proof.\n${example('pinledger market', 'pinledger market greenhouse --unit Cel --sort score', 'pinledger market --kind output --max-price 0.5 --broker mqtt://192.168.1.10')}`)
        .action(async (words, options) => {
        process.exitCode = await market({ ...options, words }, (text) => process.stdout.write(text));
    });
}
async function market({ broker, network, sort, json, verbose, ...query }, out) {
    checkNetwork(network);
    const { selfTest } = await import('../node/signing.js');
    const { search } = await import('./listings.js');
    const { asJson, describeLeftOut, table } = await import('./market-table.js');
    const { readMarket } = await import('./offers.js');
    selfTest();
    const { listings, leftOut } = await readMarket({ url: broker }, network, quiet(json));
    const found = search(listings, query, sort);
    if (json)
        out(`${JSON.stringify(asJson(found, leftOut))}\n`);
    else {
        const none = listings.length === 0 ? 'nothing is for sale' : `nothing of ${listings.length} offers fits`;
        out(found.length === 0 ? `${none}\n` : table(found));
        out(describeLeftOut(leftOut, verbose));
    }
    return found.length === 0 ? EXIT.no : EXIT.ok;
}
//# sourceMappingURL=market.js.map