using System.CommandLine;
using System.CommandLine.Parsing;
using NicHost.Host.Commands;

namespace NicHost.Host.Tests.Commands;

public sealed class CommandLineTests
{
    public static TheoryData<string> Commands => [.. CommandLine.Build().Subcommands.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Commands))]
    public void Command_says_purpose_arguments_examples_and_exit_codes(string name)
    {
        var command = Assert.IsType<HostCommand>(CommandLine.Build().Subcommands.Single(c => c.Name == name));
        Assert.EndsWith(".", command.Description, StringComparison.Ordinal);
        Assert.All(command.Arguments, a => Assert.False(string.IsNullOrEmpty(a.Description), a.Name));
        Assert.All(command.Options, o => Assert.False(string.IsNullOrEmpty(o.Description), o.Name));
        Assert.NotEmpty(command.Help.Examples);
        var asksHost = command.Options.Any(o => o.Name == "--control") && name != "run";
        Assert.Equal(asksHost, command.Help.ExitCodes.Contains(CommandHelp.NoHost));
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Example_is_a_line_that_works(string name)
    {
        var root = CommandLine.Build();
        var command = (HostCommand)root.Subcommands.Single(c => c.Name == name);
        foreach (var (line, _) in command.Help.Examples)
        {
            var words = CommandLineParser.SplitCommandLine(line.Split('|', '>', ';')[0]).ToArray();
            Assert.Equal("nichost", words[0]);
            var result = root.Parse(words[1..]);
            Assert.Empty(result.Errors);
            Assert.Contains(result.CommandResult.Command, command.Subcommands.Prepend(command));
        }
    }

    /// <summary>These do something, or print what has a form of its own; whatever asks answers programs, too.</summary>
    private static readonly string[] Doers = ["run", "restart", "pass", "dio", "probe", "demo", "schema", "completion"];

    [Theory]
    [MemberData(nameof(Commands))]
    public void Query_answers_programs_too(string name) =>
        Assert.NotEqual(Doers.Contains(name), CommandLine.Build().Subcommands.Single(c => c.Name == name).Options.Any(o => o.Name == "--json"));

    [Fact]
    public async Task Help_has_the_examples_and_the_exit_codes_below()
    {
        var text = new StringWriter { NewLine = "\n" };
        Assert.Equal(0, await CommandLine.Build().Parse(["probe", "--help", "--nonsense"]).InvokeAsync(new InvocationConfiguration { Output = text }));
        Assert.EndsWith("""

            Examples:
              nichost probe web/eth0                                       while no VMM is attached to it
              nichost probe web/eth0 --address 192.0.2.2 --ping 192.0.2.1  on an endpoint without DHCP
              nichost probe db/eth0 --address 192.0.2.1                    the one that answers, until Ctrl-C

            Exit codes:
              0  fine
              1  a check failed, or there is no such NIC
              2  the command line is wrong
              3  no host answers on the control socket


            """, text.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData()]
    [InlineData("nonsense")]
    [InlineData("run", "--loops", "0")]
    [InlineData("run", "--log-level", "loud")]
    [InlineData("run", "--log-format", "xml")]
    [InlineData("check", "--nonsense")]
    [InlineData("inspect", "a", "b")]
    [InlineData("probe")]
    [InlineData("probe", "a/b", "--ping", "192.0.2.1")]
    [InlineData("probe", "a/b", "--address", "192.0.2.1/33")]
    [InlineData("probe", "a/b", "--address", "192.0.2.1", "--ping", "there")]
    public async Task Line_that_is_wrong_ends_with_2_and_leads_to_help(params string[] args)
    {
        await using var process = HostProcess.Start(args);
        Assert.Equal(2, await process.EndAsync());
        Assert.NotEmpty(process.Errors);
        Assert.Contains("--help", process.Errors + process.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("inspect")]
    [InlineData("status", "--json")]
    [InlineData("metrics")]
    [InlineData("probe", "web/eth0")]
    public async Task Question_to_no_host_ends_with_3(params string[] args)
    {
        await using var process = HostProcess.Start([.. args, "--control", "/tmp/nichost-there-is-none.sock"]);
        Assert.Equal(3, await process.EndAsync());
        Assert.StartsWith("No host answers at /tmp/nichost-there-is-none.sock", process.Errors, StringComparison.Ordinal);
        Assert.Empty(process.Output);
    }
}
