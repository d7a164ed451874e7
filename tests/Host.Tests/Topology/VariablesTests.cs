using NicHost.Host.Topology;

namespace NicHost.Host.Tests.Topology;

public sealed class VariablesTests
{
    private static readonly Variables Variables = new(name => name switch
    {
        "NAME" => "web",
        "EMPTY" => "",
        "PORT" => "2222",
        "RATIO" => "-1.5e3",
        "ON" => "true",
        "BRACE" => "${env:NAME}",
        "LONG" => new string('x', 40_000),
        _ => null,
    });

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("${env:NAME}", "web")]
    [InlineData("/run/${env:NAME}-${env:NAME}.sock", "/run/web-web.sock")]
    [InlineData("${env:EMPTY}", "")]
    [InlineData("${env:EMPTY|other}", "")]
    [InlineData("${env:NOT_SET|other}", "other")]
    [InlineData("${env:NOT_SET|}", "")]
    [InlineData("${env:NOT_SET|a|b:c}", "a|b:c")]
    [InlineData("tcp:127.0.0.1:${env:PORT}-22", "tcp:127.0.0.1:2222-22")]
    [InlineData("$${env:NAME}", "${env:NAME}")]
    [InlineData("$NAME $ $$ $", "$NAME $ $$ $")]
    [InlineData("${env:BRACE}", "${env:NAME}")]
    public void Text_is_filled_in(string text, string expected)
    {
        var expansion = Variables.Expand(text);
        Assert.Empty(expansion.Faults);
        Assert.Equal((expected, null), (expansion.Text, expansion.Literal));
    }

    [Theory]
    [InlineData("${number:PORT}", "2222")]
    [InlineData("${number:RATIO}", "-1.5e3")]
    [InlineData("${number:NOT_SET|2}", "2")]
    [InlineData("${flag:ON}", "true")]
    [InlineData("${flag:NOT_SET|false}", "false")]
    public void Number_or_flag_becomes_a_value(string text, string expected)
    {
        var expansion = Variables.Expand(text);
        Assert.Empty(expansion.Faults);
        Assert.Equal(expected, expansion.Literal);
    }

    [Theory]
    [InlineData("${env:NOT_SET}", "The environment has no variable NOT_SET.")]
    [InlineData("${number:NOT_SET}", "The environment has no variable NOT_SET.")]
    [InlineData("${number:NAME}", "The value of NAME, \"web\" is not a number.")]
    [InlineData("${number:EMPTY}", "The value of EMPTY, \"\" is not a number.")]
    [InlineData("${number:NOT_SET|007}", "The default \"007\" is not a number.")]
    [InlineData("${number:NOT_SET| 7}", "The default \" 7\" is not a number.")]
    [InlineData("${number:NOT_SET|7\n}", "The default \"7\n\" is not a number.")]
    [InlineData("${flag:PORT}", "The value of PORT, \"2222\" is neither true nor false.")]
    [InlineData("${flag:NOT_SET|yes}", "The default \"yes\" is neither true nor false.")]
    [InlineData("x${number:PORT}", "${number:PORT} makes a value by itself, not a part of a text.")]
    [InlineData("${number:PORT}${number:PORT}", "${number:PORT} makes a value by itself, not a part of a text.")]
    [InlineData("${file:NAME}", "There are no variables of the kind \"file\".")]
    [InlineData("${ENV:NAME}", "There are no variables of the kind \"ENV\".")]
    [InlineData("${NAME}", "${NAME} does not say where its value comes from.")]
    [InlineData("${env:1ST}", "\"1ST\" is no name of a variable.")]
    [InlineData("${env:}", "\"\" is no name of a variable.")]
    [InlineData("${}", "\"\" is no name of a variable.")]
    [InlineData("${env:A-B|x}", "\"A-B\" is no name of a variable.")]
    [InlineData("${env:NAME", "\"${env:NAME\" is not closed.")]
    [InlineData("a${", "\"${\" is not closed.")]
    [InlineData("${env:LONG}${env:LONG}", "With its variables filled in, this becomes too long.")]
    public void Text_that_cannot_be_filled_in_stays_and_says_why(string text, string message)
    {
        var expansion = Variables.Expand(text);
        Assert.Equal(message, expansion.Faults[0].Message);
        Assert.All(expansion.Faults, fault => Assert.NotEmpty(fault.Remedy));
        Assert.Equal((text, null), (expansion.Text, expansion.Literal));
    }

    [Fact]
    public void Each_variable_of_a_text_that_is_missing_is_told() =>
        Assert.Equal(["The environment has no variable A.", "The environment has no variable B."], Variables.Expand("${env:A}/${env:B}/${env:NAME}").Faults.Select(f => f.Message));

    [Fact]
    public void Texts_that_grow_without_end_are_refused()
    {
        var variables = new Variables(_ => new string('x', 60_000));
        for (var i = 0; i < 279; i++) Assert.Empty(variables.Expand("${env:X}").Faults);
        Assert.NotEmpty(variables.Expand("${env:X}").Faults);
    }
}
