//! The flags of the partner.

use std::net::SocketAddr;

use clap::Args;

/// Be a second institution, for trying and testing
#[derive(Args)]
#[command(after_help = "Examples:\n  bankcore partner --demo\n  \
    bankcore partner --demo --faults lose_answer=0.1,late=0.3 --seed 7\n  \
    bankcore partner --data other --secret-file secret.txt --rule GB33BUKB20201555555555=refuse \
    --notices http://127.0.0.1:8400/api/v1/rails/partner/notices\n\n\
    Faults: refuse, late, twice, lose_answer, lose_request, down, crash, out_of_order, contradict. PUT /faults changes \
    them while it runs; GET /payments says what it has decided and credited; POST /send sends money to the bank.")]
pub struct PartnerArgs {
    /// Address and port
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8500")]
    pub listen: SocketAddr,
    /// Folder with its books and decisions, made if it is not there
    #[arg(long, value_name = "DIR", default_value = "bankcore-partner")]
    pub data: String,
    /// Keep everything in memory: gone with the process
    #[arg(long)]
    pub memory: bool,
    /// Be the partner of a demonstration bank: secret and address from its demo.json
    #[arg(long)]
    pub demo: bool,
    /// Data folder of the demonstration bank
    #[arg(long, value_name = "DIR", default_value = "bankcore-data")]
    pub bank: String,
    /// Id of the key
    #[arg(long, value_name = "ID", default_value = "k1")]
    pub key_id: String,
    /// File with the secret: whsec_…
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<String>,
    /// Where notices go [default: the demonstration bank, or nowhere]
    #[arg(long, value_name = "URL")]
    pub notices: Option<String>,
    /// Faults with their probabilities: lose_answer=0.1,late=0.3
    #[arg(long, value_name = "LIST", default_value = "")]
    pub faults: String,
    /// Always this fault for this beneficiary; may be said several times
    #[arg(long = "rule", value_name = "ACCOUNT=FAULT")]
    pub rules: Vec<String>,
    /// Where the dice begin
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}
